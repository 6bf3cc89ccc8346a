"""The daemon's own certificates and revocation lists, as files on this machine.

source          which file, and what it is for
contents        what a file says: who, and until when
watch           reads the files again when they change

Needs the extra `certificates`; nothing of it is imported until a file is to be read.
"""
