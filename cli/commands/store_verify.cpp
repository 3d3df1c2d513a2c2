// store verify: what is damaged is mended; what can't be mended is named, by lesson too, and wanted again.
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "cli/commands/context.hpp"
#include "cli/commands/progress_line.hpp"
#include "cli/commands/store_damage.hpp"

namespace satchel::commands {

namespace {

constexpr std::uint64_t kLossesShown = 50;  // to people; programs get all

Result<void> look_by_hash(Context& context, const std::function<void(const store::Damage&)>& found,
                          const std::function<void(std::uint64_t, std::uint64_t)>& progress,
                          const site::Findings& findings, nlohmann::json& summary) {
    SATCHEL_TRY(const std::uint64_t chunks, context.site->store().verify(found, progress));
    summary["chunks"] = chunks;
    if (findings.damaged == 0)
        context.output.note("The store is whole: {chunks} chunks checked.",
                            {{"chunks", std::to_string(chunks)}});
    return {};
}

Result<void> look_quickly(Context& context, const std::function<void(const store::Damage&)>& found,
                          const std::function<void(std::uint64_t, std::uint64_t)>& progress,
                          const site::Findings& findings, nlohmann::json& summary) {
    SATCHEL_TRY(const std::uint64_t budget,
                byte_count_of(context.arguments, "--budget", std::numeric_limits<std::uint64_t>::max()));
    SATCHEL_TRY(const store::ScrubReport report, context.site->store().scrub(budget, found, progress));
    summary["packs"] = report.packs;
    summary["bytes"] = report.bytes;
    summary["packs_left"] = report.packs_left;
    if (findings.damaged == 0)
        context.output.note(
            "{packs} packs are whole, {left} are left for the next time.",
            {{"packs", std::to_string(report.packs)}, {"left", std::to_string(report.packs_left)}});
    return {};
}

// What an earlier look gave up is no damage any more, but it is not here either.
Result<void> say_what_waits(Context& context, nlohmann::json& summary) {
    SATCHEL_TRY(const site::Status status, context.site->status());
    summary["waiting"] = status.waiting;
    if (status.waiting > 0)
        context.output.warn("{count} courses are not complete here: `satchel catalogue list` shows them",
                            {{"count", std::to_string(status.waiting)}});
    return {};
}

Literal remedy_for(Context& context, const site::Findings& findings, const site::Settlement& settlement,
                   bool is_forgotten) {
    const bool is_rest_forgotten = is_forgotten || (findings.unreadable.empty() && !findings.is_pack_hit);
    if (!is_rest_forgotten)
        return "check the disk; what it does not give, `satchel store verify --forget` gives up, so that it "
               "is fetched again";
    if (settlement.lost_files == 0) return "no course is hit: what was damaged is given up";
    if (context.site->self().role == trust::SiteRole::kHub)
        return "publish the folders of the courses that are hit once more, or read a stick that was written "
               "where they are whole";
    if (settlement.not_brought > 0 && is_forgotten)
        return "what is subscribed to is wanted again, and a link or a stick brings it; other courses that "
               "are "
               "hit come after `satchel subscribe add`";
    if (settlement.not_brought > 0)
        return "what is subscribed to is wanted again, and a link or a stick brings it; for other courses "
               "that are hit run `satchel subscribe add`, then this command once more, or give them up: "
               "--forget";
    return "they are wanted again: a link, or a stick that was at the hub, brings them anew";
}

Result<cli::ExitCode> verify(Context& context) {
    site::Findings findings;
    const auto found = [&](const store::Damage& damage) {
        findings.add(damage);
        say_damage(context.output, damage);
    };
    const auto progress = [&](std::uint64_t done, std::uint64_t total) {
        // Reading on after a wish to stop does no harm; verify has no way to stop half-way.
        static_cast<void>(context.progress.update({.stage = "checking the store",
                                                   .item = "",
                                                   .items_done = 0,
                                                   .items_total = 0,
                                                   .bytes_done = done,
                                                   .bytes_total = total}));
    };
    const bool is_quick = context.arguments.has("--fast") || context.arguments.has("--budget");
    nlohmann::json summary;
    SATCHEL_TRY_VOID(is_quick ? look_quickly(context, found, progress, findings, summary)
                              : look_by_hash(context, found, progress, findings, summary));
    const bool is_to_forget = context.arguments.has("--forget");
    std::uint64_t told = 0;
    const auto lost = [&](const site::Loss& loss) -> Result<void> {
        if (++told <= kLossesShown || context.output.json()) say_loss(context.output, loss);
        return {};
    };
    SATCHEL_TRY(const site::Settlement settlement,
                context.site->settle(findings, is_to_forget ? site::GiveUp::kAll : site::GiveUp::kDamaged,
                                     lost, context.progress));
    if (told > kLossesShown)
        context.output.print("and {count} more; --json lists all",
                             {{"count", std::to_string(told - kLossesShown)}});
    summary["damaged"] = findings.damaged;
    summary["lost_files"] = settlement.lost_files;
    summary["healed"] = findings.healed;
    summary["healed_bytes"] = findings.healed_bytes;
    summary["forgotten"] = settlement.given_up;
    if (findings.damaged == 0) SATCHEL_TRY_VOID(say_what_waits(context, summary));
    context.output.summary(std::move(summary));
    if (findings.damaged == 0) return cli::kExitDone;
    return fail(ErrorCode::kDamaged, "store", "parts of the store are damaged",
                remedy_for(context, findings, settlement, is_to_forget), std::to_string(findings.damaged));
}

}  // namespace

std::vector<CommandSpec> store_verify_commands() {
    return {
        {.name = "store verify",
         .summary = "Reads and checks every byte of the store, and mends what it can",
         .needs = Needs::kSite,
         .arguments = {{"--forget", ArgumentKind::kFlag, "",
                        "give up what the disk does not give, too, so that it is fetched again"},
                       {"--fast", ArgumentKind::kFlag, "",
                        "check by checksums of blocks instead of by hash of chunks"},
                       {"--budget", ArgumentKind::kOption, "SIZE",
                        "as --fast, but read at most so much: first what was not checked for longest"}},
         .examples = {"satchel --site village store verify",
                      "satchel --site village store verify --fast --budget 2GB"},
         .run = verify},
    };
}

}  // namespace satchel::commands
