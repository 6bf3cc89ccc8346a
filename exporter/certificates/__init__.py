"""The daemons' own certificates and revocation lists, as files on this machine.

source          the files of a daemon, and the content of each
pem             a file's bytes -> certificates or revocation lists
watch           reads the files again when they change

`pem` and `watch` need the extra `certificates` and are imported only when a file is to be read.
"""
