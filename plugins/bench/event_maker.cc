#include "event_maker.hh"

#include <array>
#include <chrono>
#include <cstring>

namespace bench {
namespace {

using namespace std::string_view_literals;

constexpr std::array kLanguages{"en"sv, "de"sv, "fr"sv, "es"sv, "it"sv, "nl"sv};
constexpr std::array kModels{"nlp-large-v3"sv, "nlp-base-v2"sv, "nlp-fast-v1"sv};
constexpr std::array kCodes{"TIMEOUT"sv, "OOM"sv, "INVALID_INPUT"sv, "MODEL_UNAVAILABLE"sv, "STORAGE_WRITE_FAILED"sv};
constexpr std::array kMessages{
    "the model gave no answer before its deadline"sv, "the worker was out of memory while it read the document"sv,
    "the text is not UTF-8: byte 0x9c at offset 1093"sv, R"(no replica of \"nlp-large\" was ready)"sv,
    "the result object could not be written to its bucket"sv};
constexpr char kHex[] = "0123456789abcdef";
constexpr std::uint64_t kBatchDocuments = 500;
constexpr std::uint64_t kMsPerDay = 86'400'000;
constexpr std::chrono::sys_days kFirstDay{std::chrono::year{2026} / 11 / 1};

/// Appends to memory that is known to be large enough.
class Pen {
 public:
  explicit Pen(char* at) : at_(at) {}
  Pen& operator<<(std::string_view text) {
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
    return *this;
  }
  Pen& hex(std::uint64_t value, int digits) {
    for (int i = digits - 1; i >= 0; --i) *at_++ = kHex[value >> (4 * i) & 15];
    return *this;
  }
  Pen& padded(std::uint64_t value, int digits) {
    for (int i = digits - 1; i >= 0; --i, value /= 10) at_[i] = static_cast<char>('0' + value % 10);
    at_ += digits;
    return *this;
  }
  Pen& number(std::uint64_t value) {
    int digits = 1;
    for (std::uint64_t rest = value; rest >= 10; rest /= 10) ++digits;
    return padded(value, digits);
  }
  /// Thousandths, as 12.345.
  Pen& milli(std::uint64_t value) { return (number(value / 1000) << ".").padded(value % 1000, 3); }
  Pen& fill(char c, std::size_t count) {
    std::memset(at_, c, count);
    at_ += count;
    return *this;
  }
  [[nodiscard]] char* at() const noexcept { return at_; }

 private:
  char* at_;
};

/// What one event is made of.
struct Draw {
  std::uint64_t bits;      // picks names and small numbers
  std::uint64_t fraction;  // 0..65535
  std::uint64_t day, batch, document;
  std::uint32_t job;

  [[nodiscard]] std::string_view model() const { return kModels[bits % kModels.size()]; }
  [[nodiscard]] std::string_view language() const { return kLanguages[bits % kLanguages.size()]; }
  [[nodiscard]] std::uint64_t worker() const { return bits & 15; }
};

Pen& document_name(Pen& pen, const Draw& d) { return (pen << "doc_").hex(d.document, 12); }
Pen& batch_name(Pen& pen, const Draw& d) { return (pen << "batch_").padded(d.batch, 6); }

void write_processed(Pen& pen, const Draw& d) {
  (pen << R"(completed","processing_time_seconds":)").milli(200 + d.fraction % 9000);
  (pen << R"(,"output_location":{"type":"s3","bucket":"nlp-results","key":"2026/11/)").padded(d.day, 2);
  document_name(pen << "/", d) << R"(.json"},"metrics":{"event_count":)";
  const std::uint64_t events = d.bits >> 4 & 255;
  (pen.number(events) << R"(,"entity_count":)").number(d.bits >> 12 & 511);
  (pen << R"(,"soa_triplet_count":)").number(2 * events + 3);
  pen << R"(},"metadata":{"language":")" << d.language() << R"(","model":")" << d.model();
  (pen << R"(","retry":)").number(d.bits & 1) << "}";
}

void write_failed(Pen& pen, const Draw& d) {
  const std::size_t error = d.bits % kCodes.size();
  (pen << R"(failed","processing_time_seconds":)").milli(d.fraction % 30'000);
  pen << R"(,"error":{"code":")" << kCodes[error] << R"(","message":")" << kMessages[error];
  pen << R"(","retryable":)" << ((d.bits & 2) != 0 ? "true"sv : "false"sv);
  (pen << R"(,"attempt":)").number(d.bits & 3) << R"(},"metadata":{"language":")";
  pen << d.language() << R"(","model":")" << d.model();
  (pen << R"(","worker":"gpu-)").padded(d.worker(), 2) << R"("})";
}

void write_batch_started(Pen& pen, const Draw& d) {
  pen << R"(started","document_count":500,"priority":")" << ((d.bits & 4) != 0 ? "high"sv : "normal"sv);
  (pen << R"(","input_location":{"type":"s3","bucket":"nlp-inputs","prefix":"2026/11/)").padded(d.day, 2);
  batch_name(pen << "/", d) << R"(/"},"metadata":{"requested_by":"user-)";
  pen.number(d.bits % 1000) << R"(","model":")" << d.model();
  (pen << R"(","note":"Stapel n\u00e4chtlich – Lauf )").number(d.worker()) << R"("})";
}

void write_batch_completed(Pen& pen, const Draw& d) {
  const std::uint64_t failed = d.bits % 20;
  (pen << R"(completed","processing_time_seconds":)").milli(100'000 + d.fraction * 13);
  (pen << R"(,"document_count":500,"succeeded":)").number(kBatchDocuments - failed);
  (pen << R"(,"failed":)").number(failed);
  (pen << R"(,"metrics":{"event_count":)").number(d.bits >> 8 & 65535);
  (pen << R"(,"entity_count":)").number(d.bits >> 20 & 65535);
  (pen << R"(,"soa_triplet_count":)").number(d.bits >> 32 & 65535);
  (pen << R"(},"metadata":{"requested_by":"user-)").number(d.bits % 1000);
  pen << R"(","model":")" << d.model() << R"("})";
}

struct Kind {
  std::string_view type;
  bool of_document;
  void (*write)(Pen&, const Draw&);
};
constexpr Kind kProcessed{"document.processed", true, write_processed};
constexpr Kind kFailed{"document.failed", true, write_failed};
constexpr Kind kStarted{"batch.started", false, write_batch_started};
constexpr Kind kCompleted{"batch.completed", false, write_batch_completed};

const Kind& kind_of(std::uint64_t percent) {
  return percent < 90 ? kProcessed : percent < 95 ? kFailed : percent < 98 ? kStarted : kCompleted;
}

void write_uuid(Pen& pen, std::uint64_t high, std::uint64_t low) {
  pen.hex(high >> 32, 8) << "-";
  pen.hex(high >> 16, 4) << "-4";
  pen.hex(high, 3) << "-a";
  pen.hex(low >> 48, 3) << "-";
  pen.hex(low, 12);
}

void write_time(Pen& pen, std::string_view date, std::uint64_t ms) {
  (pen << date << "T").padded(ms / 3'600'000, 2) << ":";
  pen.padded(ms / 60'000 % 60, 2) << ":";
  pen.padded(ms / 1000 % 60, 2) << ".";
  pen.padded(ms % 1000, 3) << "Z";
}

std::uint64_t rotated(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

void write_date(char* to, std::uint64_t day) {
  const std::chrono::year_month_day date{kFirstDay + std::chrono::days(day)};
  Pen(to).padded(static_cast<std::uint64_t>(int{date.year()}), 4) << "-";
  Pen(to + 5).padded(static_cast<unsigned>(date.month()), 2) << "-";
  Pen(to + 8).padded(static_cast<unsigned>(date.day()), 2);
}

}  // namespace

EventMaker::EventMaker(std::uint64_t seed, std::size_t size_bytes) : size_bytes_(size_bytes) {
  // SplitMix64 spreads a small seed over the whole state.
  for (std::uint64_t& word : state_) {
    std::uint64_t z = seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    word = z ^ (z >> 31);
  }
  write_date(date_, 0);
}

/// xoshiro256**: a public-domain generator by Blackman and Vigna.
std::uint64_t EventMaker::random() noexcept {
  const std::uint64_t result = rotated(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = rotated(state_[3], 45);
  return result;
}

std::size_t EventMaker::make(char* to) {
  const std::uint64_t draw = random(), high = random(), low = random(), bits = random();
  if (made_ % kBatchDocuments == 0) {
    job_ = static_cast<std::uint32_t>(random());
    ++batch_;
  }
  ms_ += draw >> 62;
  if (ms_ / kMsPerDay != day_) write_date(date_, day_ = ms_ / kMsPerDay);
  const Draw d{bits, draw >> 32 & 0xffff, 1 + made_ / 100'000 % 28, batch_, bits >> 16, job_};
  const Kind& kind = kind_of((draw & 0xffffffffu) * 100 >> 32);
  const auto name = kind.of_document ? document_name : batch_name;

  Pen pen(to);
  write_uuid(pen << R"({"specversion":"1.0","id":")", high, low);
  (pen << R"(","source":"/nlp/worker-)").padded(d.worker(), 2);
  name(pen << R"(","type":"com.storytelling.nlp.)" << kind.type << R"(","subject":")", d);
  write_time(pen << R"(","time":")", std::string_view(date_, sizeof(date_)), ms_ % kMsPerDay);
  pen << R"(","datacontenttype":"application/json","data":{")" << (kind.of_document ? "document_id"sv : "batch_id"sv);
  (name(pen << R"(":")", d) << R"(","job_id":"job_)").hex(job_, 8) << R"(","status":")";
  kind.write(pen, d);
  constexpr std::string_view kPadding = R"(,"padding":"")";
  const std::size_t so_far = static_cast<std::size_t>(pen.at() - to) + kPadding.size() + 2;
  if (so_far < size_bytes_) (pen << kPadding.substr(0, kPadding.size() - 1)).fill('x', size_bytes_ - so_far) << "\"";
  pen << "}}";
  ++made_;
  return static_cast<std::size_t>(pen.at() - to);
}

}  // namespace bench
