#include <nlohmann/json.hpp>

#include "cli/commands/context.hpp"
#include "cli/commands/store_use.hpp"

namespace satchel::commands {

namespace {

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
    if (look.hindrance)
        context.output.warn("Nothing can be given back now: {why}",
                            {{"why", context.output.line_of(*look.hindrance)}});
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

Result<cli::ExitCode> rebuild_index(Context& context) {
    SATCHEL_TRY_VOID(context.site->rebuild_index(context.progress));
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
