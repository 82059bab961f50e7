// What JetStream's answers mean for an event.
#include "answer.hh"
#include "catch.hh"

using namespace nats;

TEST_CASE("nats: an answer with a sequence is a delivery, also of a duplicate", "[nats]") {
  const Answer plain = read_answer(R"({"stream":"S","seq":7})", "a");
  CHECK(plain.status == SLUICE_OK);
  CHECK(!plain.duplicate);
  const Answer twice = read_answer(R"({"stream":"S","seq":7,"duplicate": true})", "a");
  CHECK(twice.status == SLUICE_OK);
  CHECK(twice.duplicate);
  CHECK(read_answer(R"({"stream":"error","seq":7})", "a").status == SLUICE_OK);
}

TEST_CASE("nats: an error is away when the next event would fare the same", "[nats]") {
  struct Row {
    const char* body;
    sluice_status status;
    const char* part;
  };
  for (const Row& row : std::initializer_list<Row>{
           {R"({"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"},"stream":"S","seq":0})",
            SLUICE_AWAY, "the stream is full"},
           {R"({"error":{"code":503,"err_code":10047,"description":"insufficient storage"}})", SLUICE_AWAY, "disk"},
           {R"({"error":{"code":503,"err_code":10076,"description":"JetStream not enabled"}})", SLUICE_AWAY,
            "not enabled"},
           {R"({"error":{"code":400,"err_code":10054,"description":"message size exceeds maximum allowed"}})",
            SLUICE_REJECTED, "max_msg_size"},
           {R"({"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 3"}})", SLUICE_AGAIN,
            "wrong last sequence: 3"},
           {R"({"error":{"code":500}})", SLUICE_AGAIN, "(subject 'a')"},
           {"", SLUICE_AGAIN, "an answer that no stream gives"},
           {"hello", SLUICE_AGAIN, "hello"}}) {
    INFO(row.body);
    const Answer answer = read_answer(row.body, "a");
    CHECK(answer.status == row.status);
    CHECK(answer.reason.find(row.part) != std::string::npos);
  }
}

TEST_CASE("nats: nobody there is the server's fault for one subject, and the event's when it named it", "[nats]") {
  CHECK(nobody_there("a", true).status == SLUICE_AWAY);
  CHECK(nobody_there("a", false).status == SLUICE_AGAIN);
  CHECK(nobody_there("a", false).reason.find("no stream takes subject 'a'") != std::string::npos);
}

TEST_CASE("nats: the facts of a consumer are read, and a missing one is noticed", "[nats]") {
  ConsumerState state;
  CHECK(read_consumer_state(R"({"num_pending":5,"num_ack_pending":2,"num_redelivered":1,"x":{}})", state));
  CHECK(state.pending == 5);
  CHECK(state.ack_pending == 2);
  CHECK(!read_consumer_state(R"({"error":{"code":404,"err_code":10014,"description":"consumer not found"}})", state));
  CHECK(!read_consumer_state("", state));
}
