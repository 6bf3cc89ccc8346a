"""What this exporter costs: figures that anyone can measure again, against simulated daemons.

`python -m bench` runs every measure and prints a table. Figures are printed, never asserted; where
possible they are ratios of two things measured in one run on one machine.

    measures/   one measure a file
    effort      how often and how long things are measured
    figures     a line of the table
    table       the lines as text
    children    the processes that are measured, and those they are measured against
    scraper     a Prometheus that notes the time
    process     what the kernel says of a process: memory, processor time
    timing      how much processor time a call takes
    capture     the reply to `status 3`, as bytes
    subject     a record and its page, fed by hand
    watched     the exporter with a probe in its event loop; a child
    bare        a server of nothing but aiohttp, to compare with; a child
    mute        daemons that greet and then hang; a child

Two need real programs and some minutes, and are run by themselves:

    python -m bench.aliasing    how wrong rate() is, by how a daemon is polled (Prometheus)
    python -m bench.daemon      what our questions cost a real server (OpenVPN, root)

    prometheus  a real Prometheus as a child
    steady      a clock by which simulated clients move the same number of bytes each second

`python -m bench.walk` measures the code instead: how much of it a poll and a scrape pass.

    call_profile  the calls of functions in one thread, by folder
    tree_size     files, lines and functions of a tree
"""
