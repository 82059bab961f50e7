"""The events of the cases: odd ones by hand, many by number."""

import json

PAD = "x" * 300
ODD_TEXTS = [
    "Größe €, Straße, naïve", "日本語のテキスト", "Ελληνικά кириллица עברית العربية", "👩‍👩‍👧‍👦🏳️‍🌈", "e\u0301 \u00e9 \ufb01",
    "\u2028\u2029\u00a0\ufeff\u200b", "\\ \" / \b\f\n\r\t", "\u0000\u0001\u001f", "\U0010fffd\ud7ff\ue000", "%25 %C3 a%20b \"quoted\"",
]
# As text: what must come back byte for byte, although a parser would write it otherwise.
ODD_LINES = [
    r'{"specversion":"1.0","id":"raw-1","source":"/contract","type":"t","data":{"n":1.10,"big":12345678901234567890,"e":1E+2}}',
    r'{ "specversion" : "1.0" , "id":"raw-2", "source":"/contract", "type":"t", "data" : [ 1 , { } , [ ] ] }',
    r'{"type":"t","data":"\/\u00e4\ud83d\ude00","source":"/contract","id":"raw-3","specversion":"1.0"}',
    r'{"specversion":"1.0","id":"raw-4","source":"/contract","type":"t","data_base64":"AAECAwQFBgcICf/+"}',
    r'{"specversion":"1.0","id":"raw-5","source":"/contract","type":"t","data":null}',
    r'{"specversion":"1.0","id":"raw-6","source":"/contract","type":"t"}',
    r'{"specversion":"1.0","id":"raw-7","source":"/contract","type":"t","time":"2026-11-01T01:02:03.123456789Z","subject":"s",'
    r'"flag":true,"number":-7,"data":{"a":{"a":{"a":"deep"}},"":0}}',
]


def line(number, **more):
    """Event `number`, as bytes."""
    event = {"specversion": "1.0", "id": "e-%06d" % number, "source": "/contract", "type": "com.example.made",
             "datacontenttype": "application/json"} | more
    event.setdefault("data", {"number": number, "text": PAD})
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def lines(count, first=0):
    return [line(number) for number in range(first, first + count)]


def odd():
    return [text.encode() for text in ODD_LINES] + lines(50)


def unicode_events():
    """The texts in data; those that an attribute may hold in subject, too."""
    made = []
    for number, text in enumerate(ODD_TEXTS):
        more = {"data": {"text": text, text: number}}
        if all(ord(letter) > 0x1f and not 0x7f <= ord(letter) <= 0x9f and ord(letter) & 0xfffe != 0xfffe for letter in text):
            more["subject"] = text
        made.append(line(number, **more))
    return made


def of_size(number, size):
    """One event of so many bytes."""
    empty = line(number, data={"text": ""})
    return line(number, data={"text": "y" * (size - len(empty))})


def for_modes():
    """Events whose attributes are texts and whose data is JSON: they mean the same in every mode."""
    return [line(number, subject=text) for number, text in enumerate(["plain", "Größe € 日本語", "100 % \"quoted\""])]


def meaning(event):
    """An event as a map, whatever it was written in."""
    return event if isinstance(event, dict) else json.loads(event)


def identity(event):
    return meaning(event)["id"]
