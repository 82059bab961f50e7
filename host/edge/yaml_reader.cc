#include "edge/yaml_reader.hh"

#include "core/scalar.hh"
#include "core/units.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <sstream>
#include <vector>

namespace sluice {
namespace {

/// A document that cannot become a tree; ends the parse.
struct Refused {
  Mark mark;
  std::string text;
};

Mark mark_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(mark.column + 1)};
}

/// Builds the tree from the parser's events. Events, not nodes: only they tell where an alias itself stands, which
/// scalars were quoted, and that a key came twice; and nothing is expanded before it has been counted.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string file, Problems& problems, YamlBounds bounds)
      : file_(std::move(file)), problems_(problems), bounds_(bounds) {}

  Value root;
  bool filled = false;

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(made(mark, Value::Kind::null), anchor); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      throw Refused{mark_of(mark), "this alias stands inside what it names: it would never end"};
    count(mark, found->second.values);
    if (frames_.size() + found->second.depth > bounds_.depth) too_deep(mark_of(mark));
    Value copy = found->second.value;
    copy.mark = mark_of(mark);
    attach(std::move(copy));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    Value value = made(mark, Value::Kind::string);
    value.string = text;
    value.quoted = tag == "!";
    refuse_tag(value, tag);
    type_scalar(value);
    add(std::move(value), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Value::Kind::list);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Value::Kind::map);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Value value;
    YAML::anchor_t anchor = YAML::NullAnchor;
    std::uint64_t values_before = 0;
    std::uint32_t depth = 1;    // of what is below it, itself included
    std::optional<Value> key;   // a map's key that waits for its value
    std::vector<Value> merged;  // what `<<:` brings in, once the map's own keys are known
  };
  struct Anchored {
    Value value;
    std::uint64_t values = 0;
    std::uint32_t depth = 1;
  };

  Value made(const YAML::Mark& mark, Value::Kind kind) {
    count(mark, 1);
    Value value;
    value.kind = kind;
    value.mark = mark_of(mark);
    value.file = file_;
    return value;
  }

  void count(const YAML::Mark& mark, std::uint64_t values) {
    values_ += values;
    if (values_ > bounds_.values) {
      throw Refused{mark_of(mark),
                    "holds more than " + std::to_string(bounds_.values) + " values once its aliases are written out"};
    }
  }

  [[noreturn]] void too_deep(Mark mark) const {
    throw Refused{mark, "is nested deeper than " + std::to_string(bounds_.depth) + " levels"};
  }

  std::string path_here() const {
    std::string path;
    for (const Frame& frame : frames_) {
      if (frame.key) path += (path.empty() ? "" : ".") + frame.key->string;
      if (frame.value.is_list()) path += "[" + std::to_string(frame.value.list.size()) + "]";
    }
    return path;
  }

  void note(Mark mark, const std::string& path, std::string text) {
    problems_.push_back({file_, mark, path, std::move(text), Severity::error});
  }

  void refuse_tag(const Value& value, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    note(value.mark, path_here(),
         "has a tag (" + tag.substr(0, 60) + "); tags are not read: put text in quotes instead");
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Value::Kind kind) {
    if (frames_.size() + 1 > bounds_.depth) too_deep(mark_of(mark));
    Frame frame;
    frame.values_before = values_;
    frame.value = made(mark, kind);
    frame.anchor = anchor;
    refuse_tag(frame.value, tag);
    frames_.push_back(std::move(frame));
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    for (Value& merged : frame.merged) {
      for (auto& [key, value] : merged.map) {
        if (frame.value.find(key) == nullptr) frame.value.put(key, std::move(value));
      }
    }
    if (frame.anchor != YAML::NullAnchor) keep(frame.anchor, {frame.value, values_ - frame.values_before, frame.depth});
    if (!frames_.empty()) frames_.back().depth = std::max(frames_.back().depth, frame.depth + 1);
    attach(std::move(frame.value));
  }

  /// Keeping is copying, and anchors nest: what is kept has the same bound as the tree.
  void keep(YAML::anchor_t anchor, Anchored anchored) {
    kept_ += anchored.values;
    if (kept_ > bounds_.values) {
      throw Refused{anchored.value.mark, "anchors hold more than " + std::to_string(bounds_.values) + " values"};
    }
    anchors_[anchor] = std::move(anchored);
  }

  void add(Value value, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) keep(anchor, {value, 1, 1});
    attach(std::move(value));
  }

  void attach(Value value) {
    if (frames_.empty()) {
      root = std::move(value);
      filled = true;
      return;
    }
    Frame& frame = frames_.back();
    if (frame.value.is_list()) {
      frame.value.list.push_back(std::move(value));
    } else if (!frame.key) {
      take_key(frame, std::move(value));
    } else {
      take_member(frame, std::move(value));
    }
  }

  void take_key(Frame& frame, Value key) {
    if (key.is_map() || key.is_list()) {
      throw Refused{key.mark, std::string("a key must be text, but is ") + kind_name(key.kind)};
    }
    if (!key.is_text()) {
      const std::string above = path_here();
      note(
          key.mark, above.empty() ? key.string : above + "." + key.string,
          std::string("a key must be text, but is ") + kind_name(key.kind) + ": " + key.string + " (put it in quotes)");
    }
    frame.key = std::move(key);
  }

  void take_member(Frame& frame, Value value) {
    const std::string path = path_here();
    Value key = std::move(*frame.key);
    value.key_mark = key.mark;
    if (key.string == "<<" && !key.quoted) {
      frame.key.reset();
      return merge(frame, std::move(value));
    }
    if (const Value* first = frame.value.find(key.string); first != nullptr) {
      note(key.mark, path,
           "this key is already in line " + std::to_string(first->key_mark.line) + "; keep one of the two");
      frame.key.reset();
      return;
    }
    frame.key.reset();
    frame.value.map.emplace_back(std::move(key.string), std::move(value));
  }

  void merge(Frame& frame, Value value) {
    if (value.is_map()) {
      frame.merged.push_back(std::move(value));
    } else if (value.is_list() && std::ranges::all_of(value.list, &Value::is_map)) {
      for (Value& member : value.list) frame.merged.push_back(std::move(member));
    } else {
      note(value.mark, path_here(), std::string("<< takes a map or a list of maps, but is ") + kind_name(value.kind));
    }
  }

  const std::string file_;
  Problems& problems_;
  const YamlBounds bounds_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::uint64_t values_ = 0;
  std::uint64_t kept_ = 0;
};

/// The length of the well-formed UTF-8 character at the front of text; 0 when there is none.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xc2 && first <= 0xdf   ? 2
                             : (first & 0xf0) == 0xe0         ? 3
                             : first >= 0xf0 && first <= 0xf4 ? 4
                                                              : 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Over-long forms, surrogates, and beyond U+10FFFF.
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) || (first == 0xf0 && byte(1) < 0x90) ||
      (first == 0xf4 && byte(1) > 0x8f)) {
    return 0;
  }
  return length;
}

/// Why the bytes are no text, with the offset of the first one that is not; empty when they are.
std::string why_no_text(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = character_length(text.substr(at));
    if (length == 0) return "is not UTF-8: byte " + std::to_string(at) + " begins no character";
    const auto c = static_cast<unsigned char>(text[at]);
    if (c == 0x7f || (c < 0x20 && c != '\t' && c != '\n' && c != '\r')) {
      return "is not text: byte " + std::to_string(at) + " is a control character (" + std::to_string(c) + ")";
    }
    at += length;
  }
  return {};
}

std::optional<Value> refused(const std::string& file, Problems& problems, std::string text, Mark mark = {}) {
  problems.push_back({file, mark, "", std::move(text), Severity::error});
  return {};
}

struct Descriptor {
  int fd;
  ~Descriptor() { ::close(fd); }
};

}  // namespace

std::optional<Value> read_yaml(std::string_view text, const std::string& file, Problems& problems, YamlBounds bounds) {
  if (text.size() > bounds.bytes) {
    return refused(file, problems, "is larger than " + size_text(bounds.bytes) + ": too large for a configuration");
  }
  if (text.empty()) return refused(file, problems, "is empty");
  if (const std::string why = why_no_text(text); !why.empty()) return refused(file, problems, why);
  TreeBuilder builder(file, problems, bounds);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder) || !builder.filled) return refused(file, problems, "is empty");
    TreeBuilder second(file, problems, bounds);
    if (parser.HandleNextDocument(second)) {
      return refused(file, problems, "holds several documents (\"---\"); a configuration is one", second.root.mark);
    }
  } catch (const Refused& e) {
    return refused(file, problems, e.text, e.mark);
  } catch (const YAML::Exception& e) {
    return refused(file, problems, "is no YAML: " + e.msg, mark_of(e.mark));
  }
  if (builder.root.kind == Value::Kind::null) return refused(file, problems, "is empty");
  return std::move(builder.root);
}

std::optional<Value> read_yaml_file(const std::string& path, Problems& problems, YamlBounds bounds) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) return refused(path, problems, std::string("cannot be read: ") + std::strerror(errno));
  struct stat facts {};
  if (::fstat(file.fd, &facts) == 0 && S_ISDIR(facts.st_mode)) {
    return refused(path, problems, "is a folder; name a file");
  }
  std::string text;
  char chunk[16 * 1024];
  while (text.size() <= bounds.bytes) {
    const ssize_t got = ::read(file.fd, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refused(path, problems, std::string("cannot be read: ") + std::strerror(errno));
    if (got == 0) break;
    text.append(chunk, static_cast<std::size_t>(got));
  }
  return read_yaml(text, path, problems, bounds);
}

}  // namespace sluice
