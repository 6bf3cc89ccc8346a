"""Certificates in files: the daemons' own, their revocation lists, and those issued to clients.

source          the files of a daemon, and the content of each
pem             a file's bytes -> certificates or revocation lists
files           reads the files, and again those that change

issued          the certificates that a CA has issued, as one value
index           the bytes of an `index.txt` -> issued certificates
directory       a directory of certificates -> issued certificates
pki             where the issued certificates are listed, and what is known of them
pki_reader      reads such a list again when it changes
pki_watch       does so every minute

`pem` and `directory` need the extra `certificates` and are imported only when a file is to be read.
"""
