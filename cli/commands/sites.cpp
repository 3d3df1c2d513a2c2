#include <nlohmann/json.hpp>

#include "cli/commands/context.hpp"
#include "cli/commands/sites_import.hpp"
#include "engine/base/encoding.hpp"

namespace satchel::commands {

namespace {

constexpr std::size_t kNamesInErrorMax = 10;

nlohmann::json fields_of(const trust::SiteEntry& entry) {
    nlohmann::json fields = {{"id", to_hex(entry.id)},
                             {"name", entry.name},
                             {"role", std::string(trust::name_of(entry.role))},
                             {"active", entry.state == trust::SiteState::kActive},
                             {"signing_key", to_hex(entry.signing_key)}};
    fields["parent"] = entry.parent ? nlohmann::json(to_hex(*entry.parent)) : nlohmann::json();
    return fields;
}

std::string state_word(Context& context, const trust::SiteEntry& entry) {
    return entry.state == trust::SiteState::kActive ? context.output.say("active")
                                                    : context.output.say("revoked");
}

Result<trust::SiteEntry> one_site(Context& context) {
    const std::string name = context.arguments.text("SITE");
    SATCHEL_TRY(const std::vector<trust::SiteEntry> found, context.site->trust().find_sites(name));
    if (found.empty())
        return fail(ErrorCode::kNotFound, name, "no site has this name or id",
                    "see all with `satchel sites list`");
    if (found.size() == 1) return found.front();
    std::string names;
    for (std::size_t i = 0; i < found.size() && i < kNamesInErrorMax; ++i)
        names += (i == 0 ? "" : ", ") + found[i].name + " " + to_hex(found[i].id).substr(0, 8);
    return fail(ErrorCode::kUsage, name, "several sites have this name or id",
                "give more of the name, or the id", names);
}

Result<cli::ExitCode> list(Context& context) {
    std::uint64_t count = 0;
    SATCHEL_TRY_VOID(context.site->trust().for_each_site([&](const trust::SiteEntry& entry) -> Result<void> {
        ++count;
        context.output.item(fields_of(entry));
        context.output.print(to_hex(entry.id).substr(0, 8) + "  " + std::string(trust::name_of(entry.role)) +
                             "  " + state_word(context, entry) + "  " + entry.name);
        return context.output.state();
    }));
    context.output.summary({{"sites", count}});
    return cli::kExitDone;
}

Result<cli::ExitCode> show(Context& context) {
    SATCHEL_TRY(const trust::SiteEntry entry, one_site(context));
    context.output.summary(fields_of(entry));
    context.output.print("{name}: {role}, {state}", {{"name", entry.name},
                                                     {"role", std::string(trust::name_of(entry.role))},
                                                     {"state", state_word(context, entry)}});
    context.output.print("id {id}", {{"id", to_hex(entry.id)}});
    context.output.print("key {key}", {{"key", trust::ssh_public_line(entry.signing_key, entry.name)}});
    if (entry.parent) context.output.print("below {id}", {{"id", to_hex(*entry.parent)}});
    return cli::kExitDone;
}

Result<cli::ExitCode> revoke(Context& context) {
    SATCHEL_TRY(const trust::SiteEntry entry, one_site(context));
    SATCHEL_TRY_VOID(context.site->revoke_site(to_hex(entry.id)));
    context.output.note("{name} is revoked; other sites learn it with the catalogue.",
                        {{"name", entry.name}});
    context.output.summary({{"revoked", to_hex(entry.id)}, {"name", entry.name}});
    return cli::kExitDone;
}

}  // namespace

std::vector<CommandSpec> sites_commands() {
    return {
        {.name = "sites list",
         .summary = "Lists the sites of the network",
         .needs = Needs::kSite,
         .arguments = {},
         .examples = {"satchel --site hub sites list", "satchel --site hub sites list --json"},
         .run = list},
        {.name = "sites show",
         .summary = "Shows one site: role, state, keys",
         .needs = Needs::kSite,
         .arguments = {{"SITE", ArgumentKind::kPositional, "", "a site's name, or the beginning of its id"}},
         .examples = {"satchel --site hub sites show lijia", "satchel --site hub sites show 1a2b3c4d"},
         .run = show},
        {.name = "sites import",
         .summary = "Registers sites from a table: what reports group by",
         .needs = Needs::kSite,
         .arguments = {{"FILE", ArgumentKind::kPositional, "",
                        "CSV with a first line of names: code, name, town, county ..."}},
         .examples = {"satchel --site hub sites import sites.csv",
                      "satchel --site hub sites import - < sites.csv"},
         .run = import_sites},
        {.name = "sites revoke",
         .summary = "Revokes a site for good: its keys count no more",
         .needs = Needs::kSite,
         .arguments = {{"SITE", ArgumentKind::kPositional, "", "a site's name, or the beginning of its id"}},
         .examples = {"satchel --site hub sites revoke lijia",
                      "satchel --site hub sites revoke 1a2b3c4d --json"},
         .run = revoke},
    };
}

}  // namespace satchel::commands
