"""AES-256 in counter mode, from the extra `certificates`; imported where a key needs it."""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def aes_ctr(key: bytes, counter: bytes, content: bytes) -> bytes:
    """Encrypt or decrypt: both are the same."""
    encryptor = Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor()
    return encryptor.update(content) + encryptor.finalize()
