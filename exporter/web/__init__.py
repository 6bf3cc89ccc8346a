"""What is served over HTTP.

config          who may ask, read from the web configuration file
access          whether a request is answered
listening       how connections come in: addresses, TLS, deadlines
server          the table of routes
metrics, probe, discovery, effective, landing, health, reload
                the endpoints, a file each
body            an answer that is sent in pieces
compression     who takes gzip
refreshing      how long a scrape may wait for new readings
"""
