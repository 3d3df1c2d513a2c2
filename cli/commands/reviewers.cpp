#include <nlohmann/json.hpp>

#include "cli/commands/context.hpp"
#include "engine/base/encoding.hpp"
#include "engine/trust/ssh.hpp"

namespace satchel::commands {

namespace {

constexpr std::size_t kPublicKeyFileMax = 16 * 1024;

Result<cli::ExitCode> add(Context& context) {
    SATCHEL_TRY(const std::string file, read_input(context, "KEY", kPublicKeyFileMax));
    trust::KeyHolder reviewer;
    reviewer.holder = context.arguments.text("--holder");
    const Result<trust::PublicKey> key =
        trust::parse_ssh_public_line(file.substr(0, file.find_first_of("\r\n")));
    if (!key.has_value()) return about_input(context, "KEY", {"public key"}, key.error());
    reviewer.key = *key;
    SATCHEL_TRY_VOID(context.site->add_reviewer(reviewer));
    context.output.note("{holder} may review now.", {{"holder", reviewer.holder}});
    context.output.summary({{"holder", reviewer.holder}, {"key", to_hex(reviewer.key)}});
    return cli::kExitDone;
}

Result<cli::ExitCode> remove(Context& context) {
    const std::string holder = context.arguments.text("HOLDER");
    SATCHEL_TRY_VOID(context.site->remove_reviewer(holder));
    context.output.note("{holder} may review no more.", {{"holder", holder}});
    context.output.summary({{"removed", holder}});
    return cli::kExitDone;
}

Result<cli::ExitCode> list(Context& context) {
    SATCHEL_TRY(const std::optional<trust::Root> root, context.site->trust().current_root());
    std::uint64_t count = 0;
    if (root) {
        for (const trust::Lane& lane : root->lanes) {
            for (const trust::KeyHolder& reviewer : lane.reviewers) {
                ++count;
                const std::string line = trust::ssh_public_line(reviewer.key, reviewer.holder);
                context.output.item({{"lane", lane.name}, {"holder", reviewer.holder}, {"key", line}});
                context.output.print(lane.name + "  " + reviewer.holder + "  " + line);
            }
        }
    }
    context.output.summary({{"reviewers", count}});
    return cli::kExitDone;
}

}  // namespace

std::vector<CommandSpec> reviewers_commands() {
    return {
        {.name = "reviewers add",
         .summary = "Lets the holder of a key review, by a new root document",
         .needs = Needs::kSite,
         .arguments = {{"KEY", ArgumentKind::kPositional, "", "the public key file (ssh-ed25519)"},
                       {"--holder", ArgumentKind::kRequiredOption, "NAME",
                        "the office or role that holds it, never a person's name"}},
         .examples = {"satchel --site hub reviewers add reviewer.pub --holder 'content review 1'",
                      "satchel --site hub reviewers add - --holder technical < reviewer.pub"},
         .run = add},
        {.name = "reviewers remove",
         .summary = "Takes a reviewer out, by a new root document",
         .needs = Needs::kSite,
         .arguments = {{"HOLDER", ArgumentKind::kPositional, "",
                        "the reviewer, as `satchel reviewers list` names it"}},
         .examples = {"satchel --site hub reviewers remove technical",
                      "satchel --site hub reviewers remove 'content review 1' --json"},
         .run = remove},
        {.name = "reviewers list",
         .summary = "Lists who may review",
         .needs = Needs::kSite,
         .arguments = {},
         .examples = {"satchel --site hub reviewers list", "satchel --site hub reviewers list --json"},
         .run = list},
    };
}

}  // namespace satchel::commands
