"""What is served over HTTP.

listening       where: addresses as exporters write them
server          routes and handlers
compression     who takes gzip
landing         the page for people
"""
