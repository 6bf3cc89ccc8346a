"""OpenVPN processes as they appear from outside: what they tell and what can be done to them.

Pure: they are told the time, and speak to whoever is attached. They know no socket.
"""
