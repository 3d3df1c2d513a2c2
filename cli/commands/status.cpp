#include <nlohmann/json.hpp>

#include "cli/commands/context.hpp"
#include "engine/base/encoding.hpp"

namespace satchel::commands {

namespace {

nlohmann::json fields_of(const site::Status& status) {
    nlohmann::json heads = nlohmann::json::array();
    for (const catalogue::LaneHead& head : status.heads)
        heads.push_back({{"lane", head.lane}, {"head", to_hex(head.head)}, {"height", head.height}});
    return {{"network", to_hex(status.network)},
            {"network_name", status.network_name},
            {"site", to_hex(status.self.id)},
            {"site_name", status.self.name},
            {"role", std::string(trust::name_of(status.self.role))},
            {"active", status.self.state == trust::SiteState::kActive},
            {"root_version", status.root_version},
            {"heads", std::move(heads)},
            {"courses", status.courses},
            {"complete", status.complete},
            {"waiting", status.waiting},
            {"waiting_for_room", status.waiting_for_room},
            {"waiting_for_reviews", status.waiting_for_reviews},
            {"open_records", status.open_events},
            {"held_up_records", status.held_up_events},
            {"carried_sites", status.carried_sites},
            {"carried_bytes", status.carried_bytes},
            {"packs", status.store.packs},
            {"pack_bytes", status.store.pack_bytes},
            {"chunks", status.store.chunks},
            {"mended_bytes", status.store.mended_bytes},
            {"missing_chunks", status.store.missing_chunks},
            {"free_bytes", status.free_bytes}};
}

Literal words_of(trust::SiteRole role) {
    switch (role) {
        case trust::SiteRole::kHub:
            return "hub";
        case trust::SiteRole::kCarrier:
            return "carrier";
        case trust::SiteRole::kHousehold:
            return "household";
        case trust::SiteRole::kVillage:
            break;
    }
    return "village";
}

Result<cli::ExitCode> status(Context& context) {
    SATCHEL_TRY(const site::Status status, context.site->status());
    Output& output = context.output;
    output.print("{name}: {role} of the network {network}", {{"name", status.self.name},
                                                             {"role", output.say(words_of(status.self.role))},
                                                             {"network", status.network_name}});
    if (status.self.state == trust::SiteState::kRevoked)
        output.warn("This site is revoked: the network takes nothing from it any more.");
    output.print("{courses} courses: {complete} complete here, {waiting} awaited",
                 {{"courses", std::to_string(status.courses)},
                  {"complete", std::to_string(status.complete)},
                  {"waiting", std::to_string(status.waiting)}});
    if (status.waiting_for_room > 0)
        output.warn(
            "{courses} courses have no room on this disk; `satchel why COURSE` tells how much is lacking",
            {{"courses", std::to_string(status.waiting_for_room)}});
    if (status.waiting_for_reviews > 0)
        output.print(
            "{courses} courses have an edition that waits for reviews; `satchel catalogue list` shows which",
            {{"courses", std::to_string(status.waiting_for_reviews)}});
    output.print(
        "{bytes} in the store, {free} free on the disk",
        {{"bytes", text::size_text(status.store.pack_bytes)}, {"free", text::size_text(status.free_bytes)}});
    if (status.carried_sites > 0)
        output.print("carries {bytes} of records for {sites} other sites, until a hub has them",
                     {{"bytes", text::size_text(status.carried_bytes)},
                      {"sites", std::to_string(status.carried_sites)}});
    if (status.held_up_events > 0)
        output.warn(
            "{count} records of this site are not sent: what was recorded just before them was damaged here, "
            "and no site has brought it back",
            {{"count", std::to_string(status.held_up_events)}});
    if (status.store.mended_bytes > 0)
        output.print("{bytes} of it were damaged and have been mended",
                     {{"bytes", text::size_text(status.store.mended_bytes)}});
    if (status.store.missing_chunks > 0)
        output.warn("{chunks} chunks can not be read from the disk; `satchel store verify` tells more",
                    {{"chunks", std::to_string(status.store.missing_chunks)}});
    for (const catalogue::LaneHead& head : status.heads)
        output.print("{lane}: {height} commits, head {head}", {{"lane", head.lane},
                                                               {"height", std::to_string(head.height)},
                                                               {"head", to_hex(head.head).substr(0, 12)}});
    output.summary(fields_of(status));
    return cli::kExitDone;
}

}  // namespace

std::vector<CommandSpec> status_commands() {
    return {
        {.name = "serve",
         .summary = "Owns the site and carries out other commands' wishes, until it is stopped",
         .needs = Needs::kOwner,
         .arguments = {{"--listen", ArgumentKind::kOption, "HOST:PORT",
                        "takes links at this address; :7247 is every address of this box, port 0 a free one"},
                       {"--peer", ArgumentKind::kListOption, "HOST:PORT",
                        "keeps in touch with the site there"},
                       {"--play", ArgumentKind::kOption, "HOST:PORT",
                        "show the courses to browsers here; a port alone means this box only"},
                       {"--play-web", ArgumentKind::kOption, "HOST:PORT",
                        "where web lessons run, apart from all else; otherwise the next port"},
                       {"--play-name", ArgumentKind::kListOption, "NAME",
                        "names by which browsers may call this box, beside its addresses"},
                       {"--care", ArgumentKind::kOption, "SIZE",
                        "so much of the store is checked, and mended, in a day; otherwise 2GB, 0 for none"}},
         .examples = {"satchel --site village serve --play 8080 --peer hub.example:7247",
                      "SATCHEL_SITE=/srv/satchel satchel serve --listen :7247 --play 0.0.0.0:8080"},
         .run = nullptr},
        {.name = "status",
         .summary = "Shows this site: network, courses, room",
         .needs = Needs::kSite,
         .arguments = {},
         .examples = {"satchel --site village status", "satchel --site village status --json"},
         .run = status},
    };
}

}  // namespace satchel::commands
