"""What is served over HTTP.

server      routes and handlers
landing     the page for people
"""
