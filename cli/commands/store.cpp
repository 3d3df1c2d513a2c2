#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "cli/commands/context.hpp"
#include "cli/commands/progress_line.hpp"
#include "cli/commands/store_use.hpp"
#include "engine/base/encoding.hpp"
#include "engine/exchange/holdings.hpp"

namespace satchel::commands {

namespace {

// More damage than this means a dying disk: replace it instead of fetching chunk by chunk.
constexpr std::size_t kForgetMax = 100'000;

Result<cli::ExitCode> stats(Context& context) {
    SATCHEL_TRY(const store::StoreStats stats, context.site->store().stats());
    context.output.print("{packs} packs, {bytes} on disk", {{"packs", std::to_string(stats.packs)},
                                                            {"bytes", text::size_text(stats.pack_bytes)}});
    context.output.print("{chunks} chunks: {plain} in {stored}",
                         {{"chunks", std::to_string(stats.chunks)},
                          {"plain", text::size_text(stats.plain_bytes)},
                          {"stored", text::size_text(stats.stored_bytes)}});
    SATCHEL_TRY(const site::CollectReport look, context.site->collect(context.progress, true));
    say_use(context, look.use);
    if (look.freeable > 0)
        context.output.print("`satchel store collect` would give back {bytes}",
                             {{"bytes", text::size_text(look.freeable)}});
    nlohmann::json fields = fields_of(look.use);
    fields.update({{"packs", stats.packs},
                   {"pack_bytes", stats.pack_bytes},
                   {"chunks", stats.chunks},
                   {"stored_bytes", stats.stored_bytes},
                   {"plain_bytes", stats.plain_bytes},
                   {"freeable_bytes", look.freeable},
                   {"mended_bytes", stats.mended_bytes},
                   {"missing_chunks", stats.missing_chunks}});
    context.output.summary(std::move(fields));
    return cli::kExitDone;
}

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

// What no longer is whole must not be told as complete, or no hub would send it again.
// Packs that are missing, cut off or have a damaged index are taken as they are.
Result<void> forget(Context& context, const std::vector<ChunkId>& chunks, bool packs_too) {
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
    std::vector<ChunkId> to_forget;
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
        if (is_to_forget && damage.chunk && findings.to_forget.size() < kForgetMax)
            findings.to_forget.push_back(*damage.chunk);
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
    SATCHEL_TRY_VOID(forget(context, findings.to_forget, is_to_forget && findings.is_pack_hit));
    summary["damaged"] = findings.damaged;
    summary["healed"] = findings.healed;
    summary["healed_bytes"] = findings.healed_bytes;
    summary["forgotten"] = findings.to_forget.size();
    context.output.summary(std::move(summary));
    if (findings.damaged == 0) return cli::kExitDone;
    return fail(
        ErrorCode::kDamaged, "store", "parts of the store are damaged",
        "run `satchel store verify --forget`, take a stick to the hub and read it again: it brings them anew",
        std::to_string(findings.damaged));
}

Result<cli::ExitCode> rebuild_index(Context& context) {
    SATCHEL_TRY_VOID(context.site->store().rebuild_index());
    SATCHEL_TRY(const store::StoreStats stats, context.site->store().stats());
    context.output.note("The index was made again: {chunks} chunks in {packs} packs.",
                        {{"chunks", std::to_string(stats.chunks)}, {"packs", std::to_string(stats.packs)}});
    context.output.summary({{"chunks", stats.chunks}, {"packs", stats.packs}});
    return cli::kExitDone;
}

}  // namespace

std::vector<CommandSpec> store_commands() {
    return {
        {.name = "store stats",
         .summary = "Shows how much the store holds, and for what",
         .needs = Needs::kSite,
         .arguments = {},
         .examples = {"satchel --site village store stats", "satchel --site village store stats --json"},
         .run = stats},
        {.name = "store verify",
         .summary = "Reads and checks every byte of the store, and mends what it can",
         .needs = Needs::kSite,
         .arguments = {{"--forget", ArgumentKind::kFlag, "",
                        "forget damaged chunks, so that they are fetched again"},
                       {"--fast", ArgumentKind::kFlag, "",
                        "check by checksums of blocks instead of by hash of chunks"},
                       {"--budget", ArgumentKind::kOption, "SIZE",
                        "with --fast: read at most so much, first what was not checked for longest"}},
         .examples = {"satchel --site village store verify",
                      "satchel --site village store verify --fast --budget 2GB"},
         .run = verify},
        {.name = "store rebuild-index",
         .summary = "Makes the index again from the packs",
         .needs = Needs::kSite,
         .arguments = {},
         .examples = {"satchel --site village store rebuild-index",
                      "satchel --site village store rebuild-index --quiet"},
         .run = rebuild_index},
    };
}

}  // namespace satchel::commands
