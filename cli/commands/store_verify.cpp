// store verify: what is damaged is mended; what can't be mended is named, by lesson too, and wanted again.
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/commands/context.hpp"
#include "cli/commands/progress_line.hpp"
#include "engine/base/encoding.hpp"
#include "engine/exchange/holdings.hpp"

namespace satchel::commands {

namespace {

// More damage than this means a dying disk: replace it instead of fetching chunk by chunk.
constexpr std::size_t kForgetMax = 100'000;
constexpr std::uint64_t kLossesShown = 50;  // to people; programs get all

void say_damage(Context& context, const store::Damage& damage) {
    nlohmann::json fields = context.output.fields_of(damage.error);
    fields["pack"] = damage.pack;
    fields["place"] = damage.place;
    fields["chunk"] = damage.chunk ? nlohmann::json(to_hex(*damage.chunk)) : nlohmann::json();
    fields["healed"] = damage.healed;
    if (damage.healed) fields["healed_bytes"] = damage.healed_bytes;
    context.output.item(std::move(fields));
    if (damage.healed) {
        context.output.print("mended: {file} at byte {place}: {bytes}",
                             {{"file", damage.pack},
                              {"place", std::to_string(damage.place)},
                              {"bytes", text::size_text(damage.healed_bytes)}});
        return;
    }
    context.output.print("damaged: {file} at byte {place}: {reason}",
                         {{"file", damage.pack},
                          {"place", std::to_string(damage.place)},
                          {"reason", context.output.say(damage.error.reason)}});
}

// Which lessons are hit; how many files of editions.
Result<std::uint64_t> say_losses(Context& context, const std::set<ChunkId>& lost) {
    std::uint64_t files = 0;
    if (lost.empty()) return files;
    SATCHEL_TRY_VOID(context.site->for_each_loss(lost, [&](const site::Loss& loss) -> Result<void> {
        context.output.item({{"course", loss.course}, {"edition", loss.edition}, {"lost_file", loss.path}});
        if (++files > kLossesShown) return {};
        const std::string edition = std::to_string(loss.edition);
        if (loss.path.empty())
            context.output.print("lost: {course}, edition {edition}: a part of its list of files",
                                 {{"course", loss.course}, {"edition", edition}});
        else
            context.output.print("lost: {course}, edition {edition}: {path}",
                                 {{"course", loss.course}, {"edition", edition}, {"path", loss.path}});
        return {};
    }));
    if (files > kLossesShown)
        context.output.print("and {count} more; --json lists all",
                             {{"count", std::to_string(files - kLossesShown)}});
    return files;
}

// What no longer is whole must not be told as complete, or no hub would send it again.
// Packs that are missing, cut off or have a damaged index are taken as they are.
Result<void> forget(Context& context, const std::set<ChunkId>& chunks, bool packs_too) {
    if (chunks.empty() && !packs_too) return {};
    for (const ChunkId& chunk : chunks) SATCHEL_TRY_VOID(context.site->store().forget(chunk));
    if (packs_too) SATCHEL_TRY_VOID(context.site->store().rebuild_index());
    SATCHEL_TRY_VOID(exchange::recheck_holdings(context.site->replica()));
    return context.site->refresh_holdings(context.progress);
}

// What verify found, in whichever way it looked.
struct Findings {
    std::uint64_t damaged = 0;
    std::uint64_t healed = 0;
    std::uint64_t healed_bytes = 0;
    std::set<ChunkId> lost;        // of them: chunks, at most kForgetMax
    std::set<ChunkId> unreadable;  // of these: what the disk does not give; it may give it another day
    bool is_pack_hit = false;
};

Result<void> look_by_hash(Context& context, const std::function<void(const store::Damage&)>& found,
                          const std::function<void(std::uint64_t, std::uint64_t)>& progress,
                          const Findings& findings, nlohmann::json& summary) {
    SATCHEL_TRY(const std::uint64_t chunks, context.site->store().verify(found, progress));
    summary["chunks"] = chunks;
    if (findings.damaged == 0)
        context.output.note("The store is whole: {chunks} chunks checked.",
                            {{"chunks", std::to_string(chunks)}});
    return {};
}

Result<void> look_quickly(Context& context, const std::function<void(const store::Damage&)>& found,
                          const std::function<void(std::uint64_t, std::uint64_t)>& progress,
                          const Findings& findings, nlohmann::json& summary) {
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

Result<cli::ExitCode> verify(Context& context) {
    Findings findings;
    const bool is_to_forget = context.arguments.has("--forget");
    const auto found = [&](const store::Damage& damage) {
        ++(damage.healed ? findings.healed : findings.damaged);
        findings.healed_bytes += damage.healed_bytes;
        say_damage(context, damage);
        findings.is_pack_hit = findings.is_pack_hit || (!damage.healed && !damage.chunk);
        if (!damage.chunk || findings.lost.size() >= kForgetMax) return;
        findings.lost.insert(*damage.chunk);
        if (damage.error.code == ErrorCode::kIo) findings.unreadable.insert(*damage.chunk);
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
    // It may lie whole at another place, or the disk gives it now: to forget it would lose that too.
    std::erase_if(findings.lost,
                  [&](const ChunkId& chunk) { return context.site->store().read(chunk).has_value(); });
    SATCHEL_TRY(const std::uint64_t lost_files, say_losses(context, findings.lost));
    std::set<ChunkId> to_forget = findings.lost;
    if (!is_to_forget)
        for (const ChunkId& chunk : findings.unreadable) to_forget.erase(chunk);
    const bool is_rest_forgotten = is_to_forget || (findings.unreadable.empty() && !findings.is_pack_hit);
    SATCHEL_TRY_VOID(forget(context, to_forget, is_to_forget && findings.is_pack_hit));
    summary["damaged"] = findings.damaged;
    summary["lost_files"] = lost_files;
    summary["healed"] = findings.healed;
    summary["healed_bytes"] = findings.healed_bytes;
    summary["forgotten"] = to_forget.size();
    context.output.summary(std::move(summary));
    if (findings.damaged == 0) return cli::kExitDone;
    return fail(
        ErrorCode::kDamaged, "store", "parts of the store are damaged",
        is_rest_forgotten
            ? Literal("they are wanted again: a link, or a stick that was at the hub, brings them anew")
            : Literal("check the disk; what it does not give, `satchel store verify --forget` gives up, "
                      "so that it is fetched again"),
        std::to_string(findings.damaged));
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
                        "with --fast: read at most so much, first what was not checked for longest"}},
         .examples = {"satchel --site village store verify",
                      "satchel --site village store verify --fast --budget 2GB"},
         .run = verify},
    };
}

}  // namespace satchel::commands
