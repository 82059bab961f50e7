"""The page's table is held against what the runs found: whatever differs is said, numbers of reasons alone do not."""

import contextlib
import io
import json
import pathlib
import tempfile
import unittest

import cases
import matrix

ROLES = {"one": ("backend", "source"), "two": ("backend",)}


def found(**odd):
    """A run in which every case is ok but these."""
    return {case.__name__: {"state": "ok", "note": "12 events"} for case in cases.ALL} | odd


def because(why):
    return {"state": "n.a.", "note": why}


class MatrixTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.page = self.folder / "page.md"
        self.results = {"one": {"backend": found(full=because("no disk")), "source": found(slow=because("no hurry"))},
                        "two": {"backend": found(full=because("no memory"))}}
        self.keep(self.results)
        self.page.write_text("# Page\n\n" + "\n".join(matrix.table(self.results)) + "\n")

    def keep(self, results):
        for name, roles in results.items():
            (self.folder / (name + ".json")).write_text(json.dumps(roles))

    def show(self, roles=None):
        """(exit code, what is printed)"""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            return matrix.show(self.folder, self.page, roles or ROLES), out.getvalue()

    def test_the_same_table_passes(self):
        self.assertEqual(self.show()[0], 0)

    def test_a_failed_case_fails(self):
        self.keep({"two": {"backend": found(full=because("no memory"), drain={"state": "FAILED", "note": "lost"})}})
        self.assertEqual(self.show()[0], 1)

    def test_another_reason_is_said(self):
        self.keep({"two": {"backend": found(full=because("no time"))}})
        code, said = self.show()
        self.assertEqual(code, 1)
        self.assertIn("two as backend, full: the page says '– no memory', the run '– no time'", said)

    def test_a_class_that_was_not_run_is_named_and_moves_no_number(self):
        (self.folder / "one.json").unlink()
        code, said = self.show()
        self.assertEqual(code, 0)
        self.assertIn("one was not run here", said)

    def test_a_cell_that_explains_nothing_fails_even_where_the_class_was_not_run(self):
        self.page.write_text(self.page.read_text().replace("| one | backend | ok |", "| one | backend | not run |"))
        (self.folder / "one.json").unlink()
        code, said = self.show()
        self.assertEqual(code, 1)
        self.assertIn("one as backend: the page shows cells that are neither ok nor explained", said)

    def test_a_class_that_is_not_on_the_page_fails(self):
        code, said = self.show(ROLES | {"three": ("source",)})
        self.assertEqual(code, 1)
        self.assertIn("three as source is not on the page", said)

    def test_a_row_of_no_class_fails(self):
        code, said = self.show({"one": ROLES["one"]})
        self.assertEqual(code, 1)
        self.assertIn("two as backend is on the page, but not in classes/", said)


if __name__ == "__main__":
    unittest.main()
