r"""The index of issued certificates that OpenSSL's `ca`, and so easy-rsa, writes: `index.txt`.

Each line has six fields with tabs between them; a tab in a field is written as `\` and a tab:

    V  290227221334Z                             DD01464377C97011  unknown  /C=DE/CN=alice
    R  290227221334Z  261125221335Z,superseded   6EE0F1FDF8AE9016  unknown  /CN=bob

These are the status (`V` valid, `R` revoked, `E` expired), the expiry, the time of the revocation
and its reason, the serial number in hexadecimal, a file name that is always `unknown`, and the
subject. `V` stays when a certificate expires, so the date decides. The subject is what
X509_NAME_oneline prints: bytes that are not printable ASCII as `\xE9`, and since OpenSSL 3 a slash
or plus in a value as `\/` and `\+`, which older versions leave as they are.
"""

import datetime
import io
import itertools
import re
from collections.abc import Iterator

from exporter.certificates.issued import IssuedCertificate
from exporter.management.values import clean_bytes

MAX_LINES = 200_000
"""Most lines of an index."""

MAX_LINE = 4096
"""Most bytes of a line."""

_FIELDS = 6
_REVOKED = {b"V": False, b"E": False, b"R": True, b"S": True}
"""Whether a status means revoked; `S` (suspended) is in OpenSSL's list, and is never written."""

_DATE = re.compile(rb"(\d\d|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?Z")
_FIRST_CENTURY_YEAR = 50
"""UTCTime has two digits of the year: from 50 on they are those of the last century."""

_SERIAL = re.compile(rb"[0-9A-Fa-f]{1,64}")

# The short names of OpenSSL for what is in a subject. A slash before anything else, as in
# `/CN=branch/lisbon`, belongs to the value.
_ATTRIBUTE = re.compile(
    rb"(?<!\\)[/+]("
    rb"CN|C|ST|L|O|OU|DC|UID|SN|GN|T|title|name|initials|street|postalCode|serialNumber"
    rb"|emailAddress|description|pseudonym|dnQualifier|generationQualifier"
    rb"|organizationIdentifier|businessCategory|jurisdiction[CSTL]{1,2}|unstructured(?:Name|Address)"
    rb"|x500UniqueIdentifier|\d+(?:\.\d+)+)="
)
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|([/+]))")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


class InvalidIndex(ValueError):
    """The bytes, or one line of them, are no index; the text is the reason."""


def parse_index(content: bytes) -> Iterator[IssuedCertificate | InvalidIndex]:
    """Yield the certificate of each line, or why it has none.

    Raises:
        InvalidIndex: a line is too long, or there are too many.
    """
    file = io.BytesIO(content)
    for number, raw in enumerate(iter(lambda: file.readline(MAX_LINE), b""), start=1):
        if number > MAX_LINES:
            raise InvalidIndex(f"more than {MAX_LINES} lines")
        if len(raw) == MAX_LINE and not raw.endswith(b"\n"):
            raise InvalidIndex(f"line {number} is longer than {MAX_LINE} bytes")
        line = raw.rstrip(b"\r\n")
        if not line or line.startswith(b"#"):
            continue
        try:
            yield _parse_line(line)
        except InvalidIndex as error:
            yield InvalidIndex(f"line {number}: {error}")


def _parse_line(line: bytes) -> IssuedCertificate:
    fields = [field.replace(b"\0", b"\t") for field in line.replace(b"\\\t", b"\0").split(b"\t")]
    if len(fields) != _FIELDS:
        raise InvalidIndex(f"{len(fields)} fields instead of {_FIELDS}")
    status, not_after, _, serial, _, subject = fields
    if status not in _REVOKED:
        raise InvalidIndex("the status is none of V, R and E")
    if not _SERIAL.fullmatch(serial):
        raise InvalidIndex("the serial number is not hexadecimal")
    return IssuedCertificate(
        common_name=common_name(subject),
        serial=int(serial, 16),
        not_after=_parse_date(not_after),
        revoked=_REVOKED[status],
    )


def _parse_date(text: bytes) -> int:
    """Parse a UTCTime or GeneralizedTime; return seconds since the epoch."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise InvalidIndex("the expiry is no date such as 290227221334Z")
    year, month, day, hour, minute, second = (int(group or 0) for group in match.groups())
    if len(match[1]) == len("YY"):
        year += 1900 if year >= _FIRST_CENTURY_YEAR else 2000
    try:
        date = datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.UTC)
    except ValueError:
        raise InvalidIndex("the expiry is a date that does not exist") from None
    return max(0, int(date.timestamp()))


def common_name(subject: bytes) -> str:
    """Return the last common name of a subject, which is the one that OpenVPN shows; "" if none."""
    value = b""
    attributes = list(_ATTRIBUTE.finditer(subject))
    for match, following in itertools.zip_longest(attributes, attributes[1:]):
        if match[1] == b"CN":
            value = subject[match.end() : following.start() if following else None]
    return shown_name(_ESCAPE.sub(_unescape, value))


def shown_name(name: bytes) -> str:
    """Return a common name as a status shows it: OpenVPN replaces control characters by `_`."""
    return clean_bytes(_CONTROL.sub(b"_", name))


def _unescape(match: re.Match[bytes]) -> bytes:
    return bytes.fromhex(match[1].decode()) if match[1] else match[2]
