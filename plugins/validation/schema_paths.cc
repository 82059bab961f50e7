#include "schema_paths.hh"

#include "schema_terms.hh"

#include <algorithm>

namespace validation {
namespace {

constexpr std::uint64_t kWrittenOutMax = 1000;  // schemas; beyond, or when it has no end, work is counted per event
constexpr std::size_t kWalkMax = 512;           // steps of a walk; a longer way counts as without end

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
      out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

std::string pointer_escaped(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

void SchemaPaths::refer(const std::string& from, const std::string& reference) {
  Node& node = nodes_[from];
  node.reference = reference;
  node.in_place.push_back(percent_decoded(std::string_view(reference).substr(1)));
}

std::size_t SchemaPaths::chain_of(const std::string& path, std::size_t depth) {
  Node& node = nodes_.at(path);
  if (node.mark == 2) return node.chain;
  if (node.mark == 1) throw BadSchema("#" + path + " refers to itself without going into the value");
  if (depth > kInPlaceMax) {
    throw BadSchema("#" + path + " is reached over more than " + std::to_string(kInPlaceMax) +
                    " schemas for the same value");
  }
  node.mark = 1;
  for (const std::string& next : node.in_place) {
    if (nodes_.count(next) == 0) throw BadSchema("#" + path + "/$ref leads to no schema: " + node.reference);
    node.chain = std::max(node.chain, 1 + chain_of(next, depth + 1));
  }
  node.mark = 2;
  if (node.chain > kInPlaceMax) {
    throw BadSchema("#" + path + " holds a value against more than " + std::to_string(kInPlaceMax) +
                    " schemas in a row");
  }
  return node.chain;
}

std::uint64_t SchemaPaths::weight_of(const std::string& path, std::size_t depth) {
  Node& node = nodes_.at(path);
  if (node.weight_mark == 2) return node.weight;
  if (node.weight_mark == 1 || depth > kWalkMax) return kWrittenOutMax + 1;  // no end
  node.weight_mark = 1;
  std::uint64_t weight = 1;
  for (const auto* steps : {&node.in_place, &node.inside}) {
    for (const std::string& next : *steps) {
      weight = std::min(weight + weight_of(next, depth + 1), kWrittenOutMax + 1);
    }
  }
  node.weight_mark = 2;
  return node.weight = weight;
}

bool SchemaPaths::check_and_weigh() {
  for (const auto& [path, node] : nodes_) (void)chain_of(path, 0);
  return weight_of("", 0) > kWrittenOutMax;
}

}  // namespace validation
