// Subjects: what can be published to, what covers what, what a template may give.
#include "subject.hh"
#include "ack_subject.hh"
#include "catch.hh"

using namespace nats;

TEST_CASE("nats: a subject to publish to has no wildcard, no blank and no empty token", "[nats]") {
  for (const char* good : {"a", "a.b.c", "nlp.document.processed", "ä.€", "$JS.API.x", "a-b_c"}) {
    INFO(good);
    CHECK(is_publishable(good));
    CHECK(is_subscribable(good));
  }
  for (const char* bad : {"", ".", "a.", ".a", "a..b", "a b", "a\tb", "a\r\nPUB x 0", "a.\x7f"}) {
    INFO(bad);
    CHECK(!is_publishable(bad));
    CHECK(!is_subscribable(bad));
  }
  for (const char* wide : {"*", ">", "a.*", "a.*.c", "a.>"}) {
    CHECK(!is_publishable(wide));
    CHECK(is_subscribable(wide));
  }
  for (const char* bad : {"a.>.b", "a*", "a.b>", "*>"}) CHECK(!is_subscribable(bad));
}

TEST_CASE("nats: an attribute in a subject cannot hold what the server reads as something else", "[nats]") {
  std::string out = "jobs.";
  append_token_text("a b\r\nPUB x.*.> \x01\x7f€.c", out);
  CHECK(out == "jobs.a_b__PUB_x._.____€.c");
  CHECK(is_publishable(out));
}

TEST_CASE("nats: one subject covers another when it takes in all of it", "[nats]") {
  struct Row {
    const char *wide, *subject;
    bool covered;
  };
  for (const Row& row : std::initializer_list<Row>{{"a.b", "a.b", true},
                                                   {">", "a", true},
                                                   {"a.>", "a.b", true},
                                                   {"a.>", "a.b.c", true},
                                                   {"a.>", "a", false},
                                                   {"a.>", "b.a", false},
                                                   {"a.*", "a.b", true},
                                                   {"a.*", "a.b.c", false},
                                                   {"*.b", "a.b", true},
                                                   {"a.b", "a", false},
                                                   {"a", "a.b", false},
                                                   {"a.b", "a.c", false},
                                                   {"a.*", "a.*", true},
                                                   {"a.b", "a.*", false},
                                                   {"a.*", "a.>", false},
                                                   {"a.>", "a.>", true},
                                                   {">", ">", true}}) {
    INFO(row.wide << " over " << row.subject);
    CHECK(covers(row.wide, row.subject) == row.covered);
  }
}

TEST_CASE("nats: the wildcard of a template takes in everything that it can give", "[nats]") {
  CHECK(wildcard_of("nlp.document.processed") == "nlp.document.processed");
  CHECK(wildcard_of("nlp.{type}") == "nlp.>");
  CHECK(wildcard_of("nlp.x-{type}.y") == "nlp.>");
  CHECK(wildcard_of("{type}") == ">");
}

TEST_CASE("nats: the reply subject of a message tells stream, sequence, turn and what is pending", "[nats]") {
  const auto old_form = read_ack_subject("$JS.ACK.S.C.3.17.5.1700000000000000000.42");
  REQUIRE(old_form);
  CHECK(old_form->stream == "S");
  CHECK(old_form->times == 3);
  CHECK(old_form->sequence == 17);
  CHECK(old_form->pending == 42);
  for (const char* form : {"$JS.ACK.hub.AbCd.S.C.3.17.5.1700000000000000000.42",
                           "$JS.ACK._.AbCd.S.C.3.17.5.1700000000000000000.42.random"}) {
    const auto new_form = read_ack_subject(form);
    REQUIRE(new_form);
    CHECK(new_form->stream == "S");
    CHECK(new_form->sequence == 17);
    CHECK(new_form->pending == 42);
  }
  for (const char* bad : {"", "$JS.ACK.", "$JS.ACK.S.C.3.17.5.1.", "$JS.ACK.S.C.x.17.5.1.2", "$JS.ACK.S.C.1.2.3.4",
                          "$JS.ACK.a.S.C.3.17.5.1.42", "_INBOX.S.C.3.17.5.1.42", "$JS.ACK.S.C.-1.17.5.1.42"}) {
    INFO(bad);
    CHECK(!read_ack_subject(bad));
  }
}
