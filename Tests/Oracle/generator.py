"""Manifests made by chance: the same for the same seed and number, whatever was made before."""

import gzip
import random

import corpus
from model import MEDIA, Case, Object, Raw, Style, build, document

OPTIONS = ["train", "valid", "test", "north", "s\u00fcd \"9\"", corpus.TRAIN, corpus.NORTH, "TRAIN", "train ", ""]
NAMES = ["tag", "split", "score", "captureDateTime", "site", "wann / when", "vector", "hollow", "Tag", "nope", "train", " tag", ""]
IDS = [corpus.TAG, corpus.SPLIT, corpus.SCORE, corpus.DATE, corpus.SITE, corpus.VECTOR, corpus.HOLLOW, corpus.TRAIN,
       "cmtagown00000000000000001", "cmwhen0000000000000000001", "cmnone0000000000000000001", "short", ""]
KEYS = ["row_data", "external_id", "global_key", "media_type", "metadata_fields", "metadata", "attachments", "embeddings",
        "dataset_id", "uid", "created_at", "updated_at", "media_attributes", "key", "conversationalData", "externalId", "type",
        "version", "tileLayerUrl"]
UNKNOWN = ["rowData", "globalKey", "name", "url", "data", "Row_data", "row_data ", "", "\u00e9", "a/b~c", "row\u005fdatum", "metadata_field"]
TYPES = ["AUDIO", "VIDEO", "IMAGE", "IMAGE_OVERLAY", "HTML", "RAW_TEXT", "TEXT_URL", "PDF_URL", "CAMERA_IMAGE"]
NUMBERS = ["0", "-0", "1", "-1", "12", "1.5", "-2.25", "1e5", "1E+5", "1e-7", "0.1", "1.0", "100", "1e400", "-1e400", "1e-400", "12345678901234567890",
           "0.30000000000000004", "0.3000000000000000444", "9007199254740993", "1.7976931348623157e308", "5e-324", "1.10", "-0.0", "3.14159265358979323846", "2147483648", "1e22", "1e16"]
WORDS = ["", " ", "a", "cat", "Hello, world.", "caf\u00e9", "\u65e5\u672c\u8a9e", "\U0001f408\u200d\u2b1b", "a\u0000b", "line\nbreak", "tab\t", "quote\"back\\slash", "</script>", "\u2028", "\ud800", "x\udfffy",
         "\U0010ffff", "\u200b", "  two  spaces ", "null", "1", "true", "x" * 200, "x" * 201, "%20", "a#b", "a<b>c|d", "\ufeff"]


class Chance(random.Random):
    """Makes values of the kinds that rows have, mostly right ones."""

    # How much of what is made is wrong: 0 nothing, 1 so much that hardly a row is right.
    wildness = 1

    def some(self, chance):
        return self.random() < chance

    def slip(self, chance):
        """Whether something is made wrong here."""
        return self.random() < chance * self.wildness

    def word(self):
        if self.some(0.3):
            return "".join(chr(self.point()) for _ in range(self.randrange(12)))
        return self.choice(WORDS)

    def point(self):
        """A code point of any plane."""
        if self.some(0.6):
            return self.randrange(0x20, 0x7f)
        return self.choice([self.randrange(0, 0x20), self.randrange(0x80, 0x800), self.randrange(0x800, 0x10000), self.randrange(0x10000, 0x110000)])

    def number(self):
        if self.some(0.3):
            return self.choice([self.randrange(-1000, 1000), self.random() * 1000, self.randrange(10**25), self.uniform(-1e-9, 1e9)])
        if self.some(0.2):
            return Raw(("-" if self.some(0.3) else "") + str(self.randrange(10**self.randrange(1, 20))) + (
                "." + "".join(self.choices("0123456789", k=self.randrange(1, 25))) if self.some(0.6) else "") + (
                self.choice("eE") + self.choice(["", "+", "-"]) + str(self.randrange(30)) if self.some(0.4) else ""))
        return Raw(self.choice(NUMBERS))

    def anything(self, depth=0):
        kind = self.random()
        if kind < 0.25:
            return self.word()
        if kind < 0.45:
            return self.number()
        if kind < 0.6:
            return self.choice([None, True, False, "", 0, [], {}])
        if depth > 3:
            return self.word()
        if kind < 0.8:
            return [self.anything(depth + 1) for _ in range(self.randrange(4))]
        return Object((self.word(), self.anything(depth + 1)) for _ in range(self.randrange(4)))

    def odd(self, right, chance=0.06):
        """What is right, or now and then something else."""
        return self.anything() if self.slip(chance) else right

    def path(self):
        if not self.slip(0.2):
            name = self.choice(list(MEDIA))
            return ("./" if self.some(0.1) else "") + name
        return self.choice(["nothere.jpg", "sub", "sub/", "./sub", "file:photo.jpg", "/nowhere.png", "../up.jpg", "photo.jpg ", "PHOTO.JPG", "a b.txt", "noext", "x.unknown", ".jpg", "photo.jpg\n", "\ud800.jpg"])

    def address(self):
        return ["https://example.com/%d.jpg", "http://example.com/a b%d", "gs://bucket/%d", "https://example.com/\u00e9%d?x=#y", "HTTPS://EXAMPLE.COM/%d", "s3://bucket/%d.jpg", "ftp://x/%d.png"][
            min(int(self.expovariate(0.7)), 6 if self.slip(0.5) else 3)].replace("%d", str(self.randrange(100)))

    def row_data(self):
        kind = self.random()
        if kind < 0.4:
            return self.address()
        if kind < 0.6:
            return self.path()
        if kind < 0.75:
            return self.word()
        if kind < 0.78:
            return self.choice(["l\u00f6ng ", "text\n", "\U0001f600"]) * self.choice([10_000, 16_384, 20_000])
        if kind < 0.95:
            return self.content()
        return self.anything()

    def content(self):
        """An object as row_data."""
        return self.choice([
            lambda: Object([("type", "application/vnd.labelbox.conversational"), ("version", 1), ("messages", self.messages())]),
            lambda: Object([("pdf_url", self.address()), ("text_layer_url", self.address())]),
            lambda: Object([("tileLayerUrl", "https://example.com/{z}/{x}/{y}.png"), ("bounds", [[self.number(), self.number()], [self.number(), self.number()]]), ("minZoom", self.number()), ("maxZoom", self.number()), ("epsg", "EPSG4326")]),
            lambda: Object([("type", "application/vnd.labelbox.conversational.model-chat-evaluation"), ("draft", True), ("actors", self.anything()), ("messages", self.anything())]),
            lambda: self.anything(1),
        ])()

    def messages(self):
        return [Object([(self.word() if self.slip(0.01) else key, self.odd(value)) for key, value in [
            ("messageId", str(n)), ("timestampUsec", self.number()), ("content", self.word()), ("user", Object([("userId", "u"), ("name", self.word())])), ("align", self.choice(["left", "right"])), ("canLabel", self.some(0.5))]
            if self.some(0.8)]) if not self.slip(0.03) else self.anything() for n in range(self.randrange(4))]

    def attachment(self):
        if self.slip(0.03):
            return self.anything()
        members = Object([("type", self.odd(self.choice(TYPES), 0.04)), ("value", self.odd(self.address(), 0.04))])
        if self.some(0.4):
            members.append(("name", self.odd(self.word(), 0.1)))
        return self.spoiled(members)

    def date(self):
        if not self.slip(0.5):
            return "%04d-%02d-%02dT%02d:%02d:%02d%s" % (self.choice([1, 999, 9999] if self.slip(0.1) else [1970, 2000, 2024, 2038]), self.randrange(1, 13), self.randrange(1, 32 if self.slip(0.5) else 29), self.randrange(25 if self.slip(0.5) else 24), self.randrange(60), self.randrange(60),
                                                         self.choice(["", "Z", "z", "+01:00", "-0230", "+05", ".5Z", ",123456789", "-23:59"]))
        if self.some(0.4):
            return self.choice(["2024", "2024-05", "2024-05-01", "20240501", "2024-W18", "2024W18-3", "2024-122", "20240501T10", "2024-05-01 9:00", "2024-05-01T 9:00", "2024-5-1"])
        pieces = ["2024", "-", "05", "W", "18", "3", "T", "10", ":", "20", "30", ".", "5", "Z", "+", "02", "00", " ", "1", "9999", "-01", "_"]
        return "2024" + "".join(self.choice(pieces) for _ in range(self.randrange(8)))

    def number_text(self):
        if self.some(0.4):
            return self.choice([" 1 ", "1_0", "1e5", "1.", ".5", "+1", "nan", "inf", "-Infinity", "1__0", "\u0661\u0662", "1\u00a0", "0x1", "", "1,5", "007", "1e400", "7.0", "7.00", "-0"])
        return "".join(self.choice("0123456789+-._eE \u0663\u2003") for _ in range(self.randrange(1, 7)))

    def option(self, field):
        """A value for an enumeration: of `split`, or of `site`."""
        if self.slip(0.3):
            return self.choice(OPTIONS)
        return self.choice([["train", "valid", "test", corpus.TRAIN], ["north", "s\u00fcd \"9\"", corpus.NORTH]][field])

    def field(self):
        if self.slip(0.03):
            return self.anything()
        by_id = self.some(0.4)
        which = self.randrange(13) if self.slip(0.1) else self.randrange(6)
        value = [self.word, lambda: self.option(0), lambda: self.number_text() if self.slip(0.3) else self.number(), self.date, lambda: self.option(1), self.date][which % 6]
        if by_id and which in (1, 4) and not self.slip(0.2):
            value = lambda: corpus.TRAIN if which == 1 else corpus.NORTH  # noqa: E731
        members = Object([("schema_id", IDS[which])] if by_id else [("name", NAMES[which])])
        if self.some(0.03):
            members.append(("name", self.odd(self.choice(NAMES), 0.3)))
        if not self.slip(0.03):
            members.append(("value", self.odd(value(), 0.05)))
        if by_id and which == 5:
            members[0] = ("schema_id", "cmwhen0000000000000000001")
        return self.spoiled(members)

    def embedding(self):
        if self.slip(0.03):
            return self.anything()
        members = Object([("embedding_id", self.odd("cmembedding", 0.03)), ("vector", self.odd([self.odd(self.number() if not self.slip(0.1) else self.number_text(), 0.03) for _ in range(self.randrange(5))], 0.03))])
        if self.some(0.4):
            members.append(("clusters", self.odd([self.odd(self.choice([self.number(), self.randrange(9), self.number_text()]) if self.slip(0.2) else self.randrange(100), 0.03) for _ in range(self.randrange(3))], 0.05)))
        return self.spoiled(members)

    def match(self):
        return self.odd(Object([(self.choice(["id", "global_key"]), self.odd(self.word() or "k", 0.04))]), 0.05)

    def spoiled(self, members, keys=()):
        """Members, now and then with one repeated, missing, null, or in another place."""
        if self.slip(0.06) and members:
            members.append((self.choice(members)[0], self.anything()))
        if self.slip(0.04) and members:
            members.pop(self.randrange(len(members)))
        if self.slip(0.05) and members:
            at = self.randrange(len(members))
            members[at] = (members[at][0], None)
        if self.some(0.1):
            self.shuffle(members)
        if self.slip(0.03):
            members.insert(self.randrange(len(members) + 1), (self.choice(list(keys) + UNKNOWN), self.choice([None, self.anything()])))
        return members

    def row(self, operation):
        kind = self.random()
        if kind < 0.08 and (operation == "create" or self.slip(0.5)):
            return self.path()
        if self.slip(0.02):
            return self.anything()
        members = Object()
        if operation == "update" or operation == "upsert" and self.some(0.6):
            if not self.slip(0.03):
                members.append(("key", self.match()))
        if kind < 0.16:
            members.append(("conversationalData", self.odd(self.messages(), 0.08)))
            members += [(key, self.odd(value, 0.1)) for key, value in [("externalId", self.word()), ("type", "application/vnd.labelbox.conversational"), ("version", 1)] if self.some(0.5)]
        elif kind < 0.19:
            members.append(("tileLayerUrl", self.odd("https://example.com/{z}/{x}/{y}.png", 0.2)))
            members += [("bounds", self.anything()), ("minZoom", self.number())]
        if not self.slip(0.05) if operation == "create" else self.some(0.6):
            members.append(("row_data", self.row_data()))
        for chance, key, make in [
            (0.3, "external_id", lambda: self.odd(self.word(), 0.05)),
            (0.3, "global_key", lambda: self.odd(f"key {self.randrange(10**9 if not self.slip(0.1) else 2)}" if not self.slip(0.1) else self.word(), 0.04)),
            (0.2, "media_type", lambda: self.odd(self.choice(["IMAGE", "VIDEO", "TEXT", "image"]), 0.1)),
            (0.2, "attachments", lambda: self.odd([self.attachment() for _ in range(self.randrange(4))], 0.08)),
            (0.35, "metadata_fields", lambda: self.odd([self.field() for _ in range(self.randrange(4))], 0.08)),
            (0.15, "embeddings", lambda: self.odd([self.embedding() for _ in range(self.randrange(3))], 0.08)),
            (0.05, "metadata", self.anything), (0.05, "media_attributes", self.anything), (0.03, "created_at", self.anything),
            (0.02, "updated_at", self.anything), (0.02, "uid", self.anything), (0.03, "dataset_id", self.anything),
        ]:
            if self.some(chance):
                members.append((key, make()))
        return self.spoiled(members, KEYS)

    def style(self):
        space = self.choice(["", " ", "  ", "\n", "\t", "\r\n"])
        return Style(ascii=self.some(0.5), comma="," + self.choice(["", " ", space]), colon=self.choice(["", space]) + ":" + self.choice(["", " ", space]), line=self.choice(["", "\n", "\r\n"]))

    def header(self, operation):
        members = Object()
        if operation != "create" or self.some(0.3):
            members.append(("operation", operation))
        if self.some(0.4):
            defaults = Object()
            for key, make in [("media_type", lambda: "IMAGE"), ("external_id", self.word), ("metadata_fields", lambda: [Object([("name", "tag"), ("value", self.word())])]),
                              ("attachments", lambda: [Object([("type", "IMAGE"), ("value", self.address())])]), ("embeddings", lambda: [Object([("embedding_id", "e"), ("vector", [self.randrange(9)])])])]:
                if self.some(0.3):
                    defaults.append((key, make()))
            members.append(("defaults", defaults))
        return members


def spoil(chance, content):
    """Breaks the text of a manifest."""
    at = chance.randrange(len(content) + 1)
    kind = chance.randrange(9)
    if kind == 0:
        return content[:at]
    if kind == 1:
        return content[:at] + bytes([chance.randrange(256)]) + content[at:]
    if kind == 2:
        return content[:at] + content[at + 1:]
    if kind == 3:
        return content.replace(b"}]", b"},]", 1)
    if kind == 4:
        return b"\xef\xbb\xbf" + content
    if kind == 5:
        return content + chance.choice([b"\0", b" ", b"\n\n", b"x", b"[]"])
    if kind == 6:
        return content.replace(b"\n", b"\r\n")
    if kind == 7:
        return content.replace(b"null", chance.choice([b"NaN", b"Null", b"nul"]), 1)
    return content[:at] + chance.choice([b"\\", b'"', b",", b"\\u", b"\\ud800", b"\n", b"\xff", b"{", b"]"]) + content[at:]


def case(seed, number):
    """The manifest of a number."""
    chance = Chance(f"{seed}-{number}")
    chance.wildness = chance.choice([0, 0, 0.3, 1])
    operation = chance.choices(["create", "upsert", "update"], [6, 3, 1])[0]
    rows = [chance.row(operation) for _ in range(chance.choice([1, 1, 2, 3, 4, 6, 10]))]
    if chance.some(0.08) and rows:
        rows.append(chance.choice(rows))
    suffix = chance.choices([".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz"], [10, 4, 1, 1, 1])[0]
    options = {"operation": operation, "global_key": chance.choice(["off", "off", "derive"])}
    if chance.some(0.1):
        options["media_type"] = "VIDEO"
    style = chance.style()
    header = None
    if "jsonl" in suffix or "ndjson" in suffix:
        # One row a line.
        style = Style(ascii=style.ascii, comma=style.comma.rstrip("\r\n"), colon=style.colon.replace("\r\n", "").replace("\n", ""))
    elif chance.some(0.3):
        header = chance.header(operation)
    made = build(f"{seed}-{number}", rows, suffix=suffix, header=header, style=style, **options)
    if chance.slip(0.15):
        text = gzip.decompress(made.content) if suffix.endswith(".gz") else made.content
        text = spoil(chance, text)
        if suffix.endswith(".gz"):
            text = gzip.compress(text, 1, mtime=0)
            if chance.some(0.3):
                text = spoil(chance, text)
        made = Case(made.id, text, suffix, **options)
    return made
