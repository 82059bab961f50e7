#include "run/redaction.hh"

namespace sluice {

struct Redaction::State {};

Redaction::Redaction(const std::vector<std::string>&) {}
Redaction::~Redaction() = default;

bool Redaction::apply(Run&, BlockPool&) { return false; }

}  // namespace sluice
