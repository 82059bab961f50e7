// A table of contents: what was asked for, and who does it.
#include "core/setup_error.hh"
#include "edge/command_line.hh"
#include "run_command.hh"

#include <exception>
#include <iostream>

namespace {

template <class... Cases>
struct Dispatch : Cases... {
  using Cases::operator()...;
};

}  // namespace

int main(int argc, char** argv) try {
  using namespace sluice;
  const Command command = parse_command_line({argv + 1, argv + argc}, SLUICE_VERSION);
  return std::visit(Dispatch{[](const Answer& answer) {
                               (answer.to_stderr() ? std::cerr : std::cout) << answer.text;
                               return answer.exit_code;
                             },
                             [](const RunCommand& run) { return run_command(run); },
                             [](const auto&) {
                               std::cerr << "sluice: this command is not joined yet\n";
                               return static_cast<int>(kUsage);
                             }},
                    command);
} catch (const sluice::SetupError& error) {
  std::cerr << "sluice: " << error.what() << '\n';
  return error.code();
} catch (const std::exception& error) {
  std::cerr << "sluice: " << error.what() << '\n';
  return sluice::kBadConfig;
}
