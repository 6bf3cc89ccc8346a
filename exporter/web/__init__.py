"""What is served over HTTP.

listening       where: addresses as exporters write them
server          the table of routes
metrics, landing, health
                the endpoints, a file each
body            an answer that is sent in pieces
compression     who takes gzip
refreshing      how long a scrape may wait for new readings
"""
