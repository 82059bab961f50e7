#define VALIJSON_USE_EXCEPTIONS 1

#include "compiled_schema.hh"

#include "schema_paths.hh"

// The adapter comes before RapidJSON: it says what the library does instead of ending the process.
#include <valijson/adapters/rapidjson_adapter.hpp>

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <valijson/constraints/concrete_constraints.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include <array>
#include <new>
#include <regex>
#include <set>
#include <vector>

namespace validation {
namespace {

using valijson::ValidationResults;
using Context = std::vector<std::string>;
using Adapter = valijson::adapters::RapidJsonAdapter;
using Pool = rapidjson::MemoryPoolAllocator<>;

struct BudgetSpent {};

/// A constraint of our own: the library keeps copies of it.
template <class Self>
class OwnConstraint : public valijson::constraints::PolyConstraint {
 private:
  valijson::constraints::Constraint* cloneInto(void* at) const override {
    return new (at) Self(static_cast<const Self&>(*this));
  }
  [[nodiscard]] std::size_t sizeOf() const override { return sizeof(Self); }
};

class PatternConstraint : public OwnConstraint<PatternConstraint> {
 public:
  explicit PatternConstraint(const std::string& pattern)
      : regex_(std::make_shared<const std::regex>(pattern, kPatternDialect)) {}
  bool validate(const valijson::adapters::Adapter& target, const Context& context,
                ValidationResults* results) const override {
    if (!target.isString()) return true;
    const std::string text = target.asString();
    if (text.size() > kPatternTextBytesMax) {
      if (results != nullptr) results->pushError(context, "is too long a text to be held against a pattern");
      return false;
    }
    if (std::regex_search(text, *regex_)) return true;
    if (results != nullptr) results->pushError(context, "Failed to match regex specified by 'pattern' constraint.");
    return false;
  }

 private:
  std::shared_ptr<const std::regex> regex_;
};

class BudgetConstraint : public OwnConstraint<BudgetConstraint> {
 public:
  explicit BudgetConstraint(std::uint64_t* left) : left_(left) {}
  bool validate(const valijson::adapters::Adapter&, const Context&, ValidationResults*) const override {
    if (*left_ == 0) throw BudgetSpent();
    --*left_;
    return true;
  }

 private:
  std::uint64_t* left_;
};

class PatternBuilder : public valijson::ConstraintBuilder {
 public:
  valijson::constraints::Constraint* make(const valijson::adapters::Adapter& value) const override {
    return new PatternConstraint(value.asString());
  }
};

class BudgetBuilder : public valijson::ConstraintBuilder {
 public:
  explicit BudgetBuilder(std::uint64_t* left) : left_(left) {}
  valijson::constraints::Constraint* make(const valijson::adapters::Adapter&) const override {
    return new BudgetConstraint(left_);
  }

 private:
  std::uint64_t* left_;
};

JsonTree tree_of(const rapidjson::Value& value, std::size_t depth = 0) {
  if (depth > kSchemaDepthMax) throw BadSchema("is nested deeper than " + std::to_string(kSchemaDepthMax) + " levels");
  JsonTree tree;
  if (value.IsObject()) {
    tree.kind = JsonTree::Kind::map;
    std::set<std::string_view> names;  // of the document's memory
    for (const auto& member : value.GetObject()) {
      const std::string_view name(member.name.GetString(), member.name.GetStringLength());
      if (!names.insert(name).second) throw BadSchema("names " + std::string(name) + " twice in one map");
      tree.members.emplace_back(std::string(name), tree_of(member.value, depth + 1));
    }
  } else if (value.IsArray()) {
    tree.kind = JsonTree::Kind::list;
    for (const auto& item : value.GetArray()) tree.items.push_back(tree_of(item, depth + 1));
  } else if (value.IsBool()) {
    tree.kind = JsonTree::Kind::boolean;
    tree.truth = value.GetBool();
  } else if (value.IsString()) {
    tree.kind = JsonTree::Kind::text;
    tree.text.assign(value.GetString(), value.GetStringLength());
  } else if (value.IsNumber()) {
    tree.kind = JsonTree::Kind::number;
    char digits[40];
    if (value.IsInt64()) {
      tree.text = std::to_string(value.GetInt64());
    } else if (value.IsUint64()) {
      tree.text = std::to_string(value.GetUint64());
    } else {
      std::snprintf(digits, sizeof(digits), "%.17g", value.GetDouble());
      tree.text = digits;
      if (tree.text.find_first_of(".e") == std::string::npos) tree.text += ".0";
    }
  }
  return tree;
}

std::string pointer_of(const Context& context) {
  std::string pointer;
  for (const std::string& step : context) {
    if (step.size() >= 2 && step.front() == '[') pointer += '/' + pointer_escaped(step.substr(1, step.size() - 2));
  }
  return pointer;
}

/// The library says a failure from the inside out: the first thing that does not merely wrap another is the cause.
std::string reason_of(ValidationResults& results) {
  std::string first;
  ValidationResults::Error error;
  while (results.popError(error)) {
    std::string text = error.description;
    while (!text.empty() && text.back() == '.') text.pop_back();
    const std::string pointer = pointer_of(error.context);
    text = (pointer.empty() ? "" : pointer + ": ") + text;
    const bool wraps = error.description.rfind("Failed to validate", 0) == 0;
    if (!wraps) return text;
    if (first.empty()) first = text;
  }
  return first.empty() ? "does not fit" : first;
}

}  // namespace

JsonTree json_tree(std::string_view text) {
  rapidjson::Document document;
  // Numbers are read as those of the data are: the same digits must be the same number. (In full precision the library
  // also normalizes the zero of 0e308, which is undefined.)
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(text.data(), text.size());
  if (document.HasParseError()) {
    throw BadSchema("is no JSON: " + std::string(rapidjson::GetParseError_En(document.GetParseError())) + " (byte " +
                    std::to_string(document.GetErrorOffset()) + ")");
  }
  return tree_of(document);
}

struct CompiledSchema::State {
  std::uint64_t left = kBudget;
  bool has_budget = false;
  valijson::Schema schema;
  valijson::Validator validator;
};

CompiledSchema::CompiledSchema(std::string_view text, Draft unsaid) : state_(std::make_unique<State>()) {
  if (text.size() > kSchemaBytesMax) throw BadSchema("is larger than 1 MiB");
  const JsonTree tree = json_tree(text);
  const auto text_at = [&](const char* key) {
    const JsonTree* value = tree.find(key);
    return value != nullptr && value->is(JsonTree::Kind::text) ? value->text : std::string();
  };
  id_ = text_at("$id");
  title_ = text_at("title");
  const SchemaTerms terms = schema_terms(tree, unsaid);
  std::string written;
  append_json(written, terms.schema);
  rapidjson::Document restated;
  restated.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseFullPrecisionFlag>(written.data(), written.size());
  state_->has_budget = terms.needs_budget;
  try {
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.addConstraintBuilder(kPatternWord, new PatternBuilder);
    if (terms.needs_budget) parser.addConstraintBuilder(kBudgetWord, new BudgetBuilder(&state_->left));
    parser.populateSchema(Adapter(restated), state_->schema);
  } catch (const std::exception& e) {
    throw BadSchema(std::string("cannot be used: ") + e.what());
  }
}

CompiledSchema::~CompiledSchema() = default;
CompiledSchema::CompiledSchema(CompiledSchema&&) noexcept = default;
CompiledSchema& CompiledSchema::operator=(CompiledSchema&&) noexcept = default;

struct DataCheck::State {
  static constexpr std::size_t kKeptBytes = 64 * 1024;
  std::array<char, kKeptBytes> bytes, stack_bytes;
  Pool pool{bytes.data(), bytes.size()};
  Pool stack{stack_bytes.data(), stack_bytes.size()};
};

DataCheck::DataCheck() : state_(std::make_unique<State>()) {}
DataCheck::~DataCheck() = default;

std::optional<std::string> DataCheck::why_not(std::string_view data, CompiledSchema& schema) {
  state_->pool.Clear();
  state_->stack.Clear();
  using Document = rapidjson::GenericDocument<rapidjson::UTF8<>, Pool, Pool>;
  Document document(&state_->pool, 1024, &state_->stack);
  rapidjson::MemoryStream stream(data.data(), data.size());
  document.ParseStream<rapidjson::kParseIterativeFlag>(stream);
  if (document.HasParseError()) return "is no JSON";
  const rapidjson::Value& value = document;
  CompiledSchema::State& known = *schema.state_;
  try {
    known.left = kBudget;
    if (known.validator.validate(known.schema, Adapter(value), nullptr)) return std::nullopt;
    known.left = kBudget;
    ValidationResults results;  // the way is walked again only when somebody wants to know
    if (known.validator.validate(known.schema, Adapter(value), &results)) return std::nullopt;
    return reason_of(results);
  } catch (const BudgetSpent&) {
    return "takes more than " + std::to_string(kBudget) + " steps to compare with its schema";
  } catch (const std::exception& e) {
    return std::string("cannot be compared: ") + e.what();
  }
}

}  // namespace validation
