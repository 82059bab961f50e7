#!/usr/bin/env python3
"""The guard of the sealed layout must catch what it is there for."""

import pathlib
import unittest

import layout

SEALED = (pathlib.Path(__file__).parent / "museum" / "v1" / "layout.txt").read_text(encoding="utf-8")


class Sealed(unittest.TestCase):
    def test_the_same_layout_passes(self):
        self.assertEqual(layout.broken_promises(SEALED, SEALED), [])

    def test_a_field_appended_to_a_table_passes(self):
        now = SEALED.replace("flush\n[sizeof=24", "flush\n  24 |   uint64_t more\n[sizeof=32")
        self.assertNotEqual(now, SEALED)
        self.assertEqual(layout.broken_promises(SEALED, now), [])

    def test_a_new_constant_passes_and_a_renumbered_one_does_not(self):
        self.assertEqual(layout.broken_promises(SEALED, SEALED + "SLUICE_NEW = 77\n"), [])
        found = layout.broken_promises(SEALED, SEALED.replace("SLUICE_AWAY = 10", "SLUICE_AWAY = 11"))
        self.assertEqual(found, ["SLUICE_AWAY was 10 and is now 11"])

    def test_a_field_in_the_middle_is_refused_by_name(self):
        now = SEALED.replace("  16 |   void (*)(sluice_node *) flush", "  16 |   uint64_t between\n  24 |   void (*)(sluice_node *) flush")
        self.assertIn("sluice_backend", layout.broken_promises(SEALED, now)[0])

    def test_a_frozen_record_may_not_even_grow(self):
        now = SEALED.replace("[sizeof=40, align=8]", "  40 |   uint64_t more\n[sizeof=48, align=8]", 1)
        self.assertEqual(layout.broken_promises(SEALED, now), ["sluice_attribute is frozen and has changed"])

    def test_a_record_that_is_gone_is_missed(self):
        records = SEALED.split("\n\n")
        now = "\n\n".join(part for part in records if "struct sluice_writer\n" not in part)
        self.assertEqual(layout.broken_promises(SEALED, now), ["sluice_writer is gone"])


if __name__ == "__main__":
    unittest.main()
