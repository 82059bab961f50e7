// sluice spool ls, fsck, cat.
#include "edge/command_help.hh"
#include "edge/commands/shared_options.hh"

namespace sluice {
namespace {

/// Which spools are meant: the same words for all that can be done with them.
SpoolCommand& add_spools(CommandSyntax& command, SpoolCommand::What what) {
  const auto asked = std::make_shared<SpoolCommand>();
  asked->what = what;
  command.option("PATH", asked->paths, "Folders of spools, as delivery.spool.path names them");
  command.option("--config", asked->config, "Every spool of this configuration").shown_as("CONFIG");
  add_settings(command, asked->settings);
  command.means([asked] {
    if (asked->paths.empty() && asked->config.empty()) throw BadWords{"name a spool's folder, or --config CONFIG"};
    return Command(std::move(*asked));
  });
  return *asked;
}

}  // namespace

void declare_spool(CommandSyntax& top) {
  using What = SpoolCommand::What;
  CommandSyntax spool = top.command("spool", "Look into the disk buffers of backends.", "");
  CommandSyntax ls = spool.command("ls", "Show what each segment holds.", help::kSpoolLs);
  add_spools(ls, What::ls);
  CommandSyntax fsck = spool.command("fsck", "Verify every checksum.", help::kSpoolFsck);
  add_spools(fsck, What::fsck);

  CommandSyntax cat = spool.command("cat", "Print the events that wait, one JSON line each.", help::kSpoolCat);
  SpoolCommand& printed = add_spools(cat, What::cat);
  const CommandOption all = cat.flag("--all", printed.all, "Delivered events that still lie there, too");
  cat.flag("--rejected", printed.rejected, "The events that the far side refused for good, instead").excludes(all);
}

}  // namespace sluice
