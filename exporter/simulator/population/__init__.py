"""The people around a server and what they do. It knows no management interface and no socket."""
