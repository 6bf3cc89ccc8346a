"""Benchmarks of the exporter against simulated daemons.

`python -m bench` runs every benchmark and prints a table. A result beyond its limit is marked but
is no error. Where possible a result is a ratio of two values measured in one run on one machine.

    cases/        one benchmark per file
    benchmark     the signature of a benchmark, and how often and how long it measures
    result        one row of the table
    report        progress, and the table as text
    configuration the files of a configuration with all features, and visitors who use them
    children      the processes that are measured or compared with
    scraper       an HTTP client that measures scrapes
    process       memory and CPU time
    fixture       the path from a status to the page, without sockets
    loop_probe    the exporter with a probe in its event loop; a child process
    baseline      a plain aiohttp server to compare with; a child process
    hostile_daemons
                  daemons that send too much, nonsense, or nothing; a child process
    status_daemon
                  a daemon of very many clients whose statuses are ready; a child process
    hung_server   daemons that stop responding after the greeting; a child process

Two programs need real software and some minutes:

    python -m bench.aliasing    error of rate() by poll interval (needs Prometheus)
    python -m bench.daemon      cost of each command in a real server (needs OpenVPN and root)

    prometheus      a real Prometheus as a child process
    steady_traffic  a clock by which simulated clients transfer the same number of bytes per second

`python -m bench.walk` measures the code: how much of it a poll and a scrape pass.

    call_profile  the calls of functions in one thread, by folder
    tree_size     files, lines and functions of a tree
"""
