"""All daemons together: which ones are watched now, and what a new configuration changes.

watch       what the configuration says of watching one daemon
plan        two configurations: who stays, who goes, who comes
fleet       the monitors: started, adjusted and ended
debugging   what was said between us and a daemon, for people
round       every daemon asked once
reload      reading the configuration again, while everything runs
"""
