"""What is served over HTTP.

listening       where: addresses as exporters write them
server          the table of routes
metrics, landing, health
                the endpoints, a file each
compression     who takes gzip
"""
