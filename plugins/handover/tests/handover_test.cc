// Consumer handover as the host drives it: documents and jobs, restarts, the dry run.
#include "catch.hh"
#include "plugin_rig.hh"

#include <sluice/ext/once_keys.h>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace {

using Texts = std::vector<std::string>;

std::string event(const std::string& id, const std::string& type, const std::string& data) {
  return R"({"specversion":"1.0","id":")" + id + R"(","source":"stage1","type":"com.storytelling.cleaning.)" + type +
         R"(","data":)" + data + "}";
}
std::string document(const std::string& id, const std::string& job) {
  return event(id, "document.cleaned", R"({"document_id":")" + id + R"(","job_id":")" + job + R"("})");
}
std::string completed(const std::string& id, const std::string& job) {
  return event(id, "job.completed", R"({"job_id":")" + job + R"(","batch_id":"b-)" + job + R"("})");
}

/// The store that workers share, as the host offers it: which jobs were handed over by anybody.
struct Shared {
  std::mutex mutex;
  std::set<std::string> jobs;
  bool away = false;
  std::uint32_t asked = 0;
};
Shared& shared() {
  static Shared all;
  return all;
}
sluice_status on_recorded(const sluice_host*, const sluice_str* values, std::uint32_t count, std::uint8_t* recorded,
                          std::int32_t, sluice_error* error) {
  const std::lock_guard lock(shared().mutex);
  ++shared().asked;
  if (shared().away) {
    error->len = static_cast<std::uint32_t>(std::min<std::size_t>(8, error->cap));
    std::memcpy(error->text, "no route", error->len);
    return SLUICE_AWAY;
  }
  for (std::uint32_t i = 0; i < count; ++i) recorded[i] = shared().jobs.contains(std::string(sluice::view(values[i])));
  return SLUICE_OK;
}
struct Handover {
  explicit Handover(const std::string& config = "{}", bool shares = false)
      : host(shares), node(rig::class_of(*sluice_module_v1(), "handover"), config, host) {
    node.start();
  }
  /// One letter per event: p passed, d dropped, R refused.
  std::string process(const Texts& texts) {
    const rig::Batch batch(texts);
    node.process(batch, verdict, nullptr);
    sequences.clear();
    for (std::uint32_t i = 0; i < batch.count; ++i) sequences.push_back(SLUICE_EVENT(&batch, i)->seq);
    std::string text;
    for (const std::uint8_t one : verdict) {
      text += one == 0 ? 'p' : one == SLUICE_TO_DROP ? 'd' : one == SLUICE_TO_REFUSE ? 'R' : '?';
    }
    return text;
  }
  void settle(std::uint8_t outcome) {
    const std::vector<std::uint8_t> outcomes(sequences.size(), outcome);
    node.settled(sequences, outcomes);
  }
  [[nodiscard]] std::size_t lines(const std::string& part) const {
    return static_cast<std::size_t>(std::count_if(host.logs.begin(), host.logs.end(), [&](const auto& line) {
      return line.second.find(part) != std::string::npos;
    }));
  }
  struct Host : rig::Host {
    explicit Host(bool shares) {
      if (!shares) return;
      service = [](const sluice_host* h, const char* id) -> const void* {
        static const sluice_once_keys keys{sizeof(sluice_once_keys), 0, &on_recorded};
        static const auto plain = rig::Host().service;
        return std::strcmp(id, SLUICE_ONCE_KEYS) == 0 ? &keys : plain(h, id);
      };
    }
    [[nodiscard]] std::uint64_t now() const { return now_ns(this); }
  };
  Host host;
  rig::Node node;
  std::vector<std::uint8_t> verdict;
  std::vector<std::uint64_t> sequences;
};

/// One of several workers.
struct Worker : Handover {
  explicit Worker(const std::string& config) : Handover(config, true) {}
  /// Ticks until the line is there.
  bool says(const std::string& line) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (lines(line) == 0 && std::chrono::steady_clock::now() < end) {
      host.advance_ms(1000);
      (void)node.tick(host.now());
    }
    return lines(line) > 0;
  }
  /// Ticks until every job it had open is known to be handed over, or is late.
  bool knows_of_no_open_job() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (std::chrono::steady_clock::now() < end) {
      host.advance_ms(1000);
      (void)node.tick(host.now());
      if (host.cell("open_jobs")->value == 0) return true;
    }
    return false;
  }
  /// Ticks until the store was asked `times` more.
  bool asks(std::uint32_t times) {
    std::uint32_t before = 0;
    {
      const std::lock_guard lock(shared().mutex);
      before = shared().asked;
    }
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    for (;;) {
      host.advance_ms(1000);
      (void)node.tick(host.now());
      const std::lock_guard lock(shared().mutex);
      if (shared().asked >= before + times) return true;
      if (std::chrono::steady_clock::now() > end) return false;
    }
  }
};

struct Folder {
  Folder() {
    char name[] = "/tmp/sluice-handover-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  [[nodiscard]] std::string config() const { return R"({"state":")" + path + R"(/deep/state"})"; }
  std::string path;
};

/// What a node that cannot be made says.
std::string refusal(const std::string& config) {
  try {
    const Handover h(config);
  } catch (const std::exception& e) {
    return e.what();
  }
  return "";
}
bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("handover: a job's documents are left to its one batch, before and after it") {
  Handover h;
  CHECK(h.process({document("1", "j"), document("2", "j"), completed("3", "j"), document("4", "j")}) == "ddpd");
  h.settle(SLUICE_WAS_DELIVERED);
  CHECK(h.process({document("5", "j"), completed("6", "j")}) == "dd");
  CHECK(h.lines("nlp_batch_processing_triggered: job_id=j, batch_id=b-j") == 1);
  CHECK(h.lines("event_consumed: type=com.storytelling.cleaning.document.cleaned, id=4") == 1);
}

TEST_CASE("handover: documents of no job are handed over by themselves") {
  Handover h;
  CHECK(h.process({event("1", "document.cleaned", R"({"document_id":"d"})"), event("2", "document.cleaned", "null"),
                   event("3", "document.cleaned", R"({"job_id":null})"), event("4", "job.completed", "{}")}) == "pppp");
  CHECK(h.process({event("5", "document.cleaned", R"({"job_id":7})")}) == "d");
}

TEST_CASE("handover: a batch that failed may be handed over again, one on its way may not") {
  Handover h;
  CHECK(h.process({completed("1", "j")}) == "p");
  const auto first = h.sequences;
  CHECK(h.process({completed("2", "j")}) == "d");
  h.sequences = first;
  h.settle(SLUICE_WAS_REJECTED);
  CHECK(h.process({completed("1", "j")}) == "p");
  h.settle(SLUICE_NOT_DELIVERED);
  CHECK(h.process({completed("1", "j")}) == "p");
  h.settle(SLUICE_WAS_DELIVERED);
  CHECK(h.process({completed("1", "j")}) == "d");
}

TEST_CASE("handover: a restart remembers the jobs that were handed over, not those that were on their way") {
  const Folder folder;
  {
    Handover h(folder.config());
    CHECK(h.process({completed("1", "done")}) == "p");
    h.settle(SLUICE_WAS_DELIVERED);
    CHECK(h.process({completed("2", "underway")}) == "p");
  }
  {
    // A kill in the middle of a line.
    std::ofstream(folder.path + "/deep/state", std::ios::app) << "d 12 3 hal";
  }
  Handover h(folder.config());
  CHECK(h.process({completed("3", "done"), completed("2", "underway"), completed("4", "hal")}) == "dpp");
}

TEST_CASE("handover: a state file has one owner, and a foreign file is refused with its place") {
  const Folder folder;
  const Handover owner(folder.config());
  CHECK(holds(refusal(folder.config()), "in use by another"));
  const std::string other = folder.path + "/other";
  std::ofstream(other) << "not ours\n";
  CHECK(holds(refusal(R"({"state":")" + other + "\"}"), "is not a state file"));
  std::ofstream(other) << "sluice handover state 1\nd 1 1 a\nz\n";
  CHECK(holds(refusal(R"({"state":")" + other + "\"}"), "other:3: damaged line"));
}

TEST_CASE("handover: without batches every event goes on") {
  Handover h(R"({"batch":false})");
  CHECK(h.process({document("1", "j"), completed("2", "j"), completed("3", "j")}) == "ppp");
}

TEST_CASE("handover: a dry run logs what it sees and refuses it, so that it stays where it came from") {
  Handover h(R"({"process":false})");
  CHECK(h.process({document("1", "j"), completed("2", "j")}) == "RR");
  CHECK(h.lines("event_consumed_not_processed: type=com.storytelling.cleaning.job.completed, id=2 "
                "(auto_process=false)") == 1);
  CHECK(h.lines("event_consumed: ") == 0);
  CHECK(h.host.explained.at(1).find("auto_process is false") != std::string::npos);
}

TEST_CASE("handover: lines about single events are bounded per second, and the rest is counted") {
  Handover h(R"({"log_per_second":2,"batch":false})");
  h.process({document("1", "j"), document("2", "j"), document("3", "j"), document("4", "j")});
  CHECK(h.lines("event_consumed: ") == 2);
  h.host.advance_ms(1000);
  h.process({document("5", "j")});
  CHECK(h.lines("2 more events in the same second") == 1);
  CHECK(h.lines("id=5") == 1);
}

TEST_CASE("handover: a job that never completes is named in a warning") {
  Handover h(R"({"job_ttl":1000})");
  h.process({document("1", "lost"), document("2", "lost")});
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (h.lines("job_not_completed: job_id=lost, documents=2") == 0 && std::chrono::steady_clock::now() < end) {
    (void)h.node.tick(0);
  }
  CHECK(h.lines("job_not_completed: job_id=lost, documents=2") == 1);
}

TEST_CASE("handover: a job that another worker handed over is not late, and no more open here") {
  shared().jobs = {"elsewhere"};
  Worker h(R"({"job_ttl":1000})");
  h.process({document("1", "elsewhere"), document("2", "nowhere")});
  CHECK(h.says("job_not_completed: job_id=nowhere, documents=1"));
  CHECK(h.lines("job_id=elsewhere") == 0);
}

TEST_CASE("handover: what another worker handed over is not handed over here once that is known") {
  shared().jobs = {"elsewhere"};
  Worker h("{}");
  h.process({document("1", "elsewhere")});
  REQUIRE(h.asks(1));
  REQUIRE(h.knows_of_no_open_job());
  CHECK(h.process({completed("2", "elsewhere")}) == "d");
}

TEST_CASE("handover: late jobs are named only when the shared store answers, and that it does not is said once") {
  shared().jobs = {"elsewhere"};
  shared().away = true;
  Worker h(R"({"job_ttl":1000})");
  h.process({document("1", "elsewhere"), document("2", "nowhere")});
  CHECK(h.says("the store that workers share cannot be asked which jobs were handed over: no route"));
  CHECK(h.asks(3));
  CHECK(h.lines("job_not_completed") == 0);
  CHECK(h.lines("cannot be asked") == 1);
  {
    const std::lock_guard lock(shared().mutex);
    shared().away = false;
  }
  CHECK(h.says("job_not_completed: job_id=nowhere, documents=1"));
  CHECK(h.lines("job_id=elsewhere") == 0);
}
