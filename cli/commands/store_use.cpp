#include "cli/commands/store_use.hpp"

#include <nlohmann/json.hpp>

namespace satchel::commands {

namespace {

std::uint64_t kept(const site::StoreUse& use, site::Claim claim) {
    return use.kept[static_cast<std::size_t>(claim)];
}

}  // namespace

void say_use(Context& context, const site::StoreUse& use) {
    const auto line = [&](Literal what, std::uint64_t bytes) {
        if (bytes > 0) context.output.print("  " + text::size_text(bytes) + "  " + context.output.say(what));
    };
    line("pinned courses", kept(use, site::Claim::kPinned));
    line("subscribed courses", kept(use, site::Claim::kSubscribed));
    line("other courses", kept(use, site::Claim::kRest));
    line("old editions", kept(use, site::Claim::kOld));
    line("courses that are coming in", kept(use, site::Claim::kStaging));
    line("needed by nothing any more", use.dead);
    line("parity, to mend damage from", use.parity);
    line("index and checksums of the packs", use.frame);
    line("records and the catalogue", use.records);
}

nlohmann::json fields_of(const site::StoreUse& use) {
    return {{"pinned_bytes", kept(use, site::Claim::kPinned)},
            {"subscribed_bytes", kept(use, site::Claim::kSubscribed)},
            {"other_bytes", kept(use, site::Claim::kRest)},
            {"old_bytes", kept(use, site::Claim::kOld)},
            {"incoming_bytes", kept(use, site::Claim::kStaging)},
            {"dead_bytes", use.dead},
            {"parity_bytes", use.parity},
            {"frame_bytes", use.frame},
            {"record_bytes", use.records}};
}

}  // namespace satchel::commands
