// Which files need objects that are damaged: what a person wants to hear of a pack, a place and a hash; and
// that they come anew.
#include "engine/exchange/holdings.hpp"
#include "engine/site/site_state.hpp"
#include "engine/store/ingest.hpp"

namespace satchel::site {

namespace {

using EachLoss = std::function<Result<void>(const Loss&)>;

bool is_gone(const Error& error) {
    return error.code == ErrorCode::kDamaged || error.code == ErrorCode::kNotFound ||
           error.code == ErrorCode::kIo;
}

Result<bool> needs_one(store::Store& store, const store::FileContent& content,
                       const std::set<ChunkId>& lost) {
    const auto* recipe = std::get_if<store::RecipeContent>(&content);
    if (recipe != nullptr && lost.count(recipe->recipe) != 0) return true;
    const Result<std::vector<store::Extent>> extents = store::extents_of(store, content);
    if (!extents.has_value() && is_gone(extents.error())) return true;
    if (!extents.has_value()) return extents.error();
    for (const store::Extent& extent : *extents)
        if (lost.count(extent.chunk) != 0) return true;
    return false;
}

Result<void> losses_of(store::Store& store, const catalogue::Edition& edition, const std::set<ChunkId>& lost,
                       const EachLoss& each) {
    bool is_list_hit = false;
    store::ManifestReader reader([&](const ChunkId& id) { return store.read(id); }, edition.manifest);
    const auto file = [&](const store::ManifestEntry& entry) -> Result<void> {
        SATCHEL_TRY(const bool is_hit, needs_one(store, entry.content, lost));
        return is_hit ? each({edition.course, edition.number, entry.path}) : Result<void>();
    };
    const auto node = [&](const ChunkId& id) -> Result<bool> {
        is_list_hit = is_list_hit || lost.count(id) != 0;
        return lost.count(id) == 0;
    };
    const Result<void> walked = reader.for_each(file, node);
    if (!walked.has_value() && !is_gone(walked.error())) return walked;
    if (!walked.has_value() || is_list_hit) return each({edition.course, edition.number, ""});
    return {};
}

}  // namespace

Result<void> Site::for_each_loss(const std::set<ChunkId>& lost, const EachLoss& each) {
    return state_->catalogue->for_each_edition([&](const catalogue::EditionState& state) -> Result<void> {
        SATCHEL_TRY(const bool complete, exchange::is_complete(*state_->database, state.edition.manifest));
        return complete ? losses_of(*state_->store, state.edition, lost, each) : Result<void>();
    });
}

void Findings::add(const store::Damage& damage) {
    ++(damage.healed ? healed : damaged);
    healed_bytes += damage.healed_bytes;
    is_pack_hit = is_pack_hit || (!damage.healed && !damage.chunk);
    if (!damage.chunk || lost.size() >= kLostMax) return;
    lost.insert(*damage.chunk);
    if (damage.error.code == ErrorCode::kIo) unreadable.insert(*damage.chunk);
}

Result<Settlement> Site::settle(Findings& findings, bool gives_up_all, const EachLoss& each,
                                Progress& progress) {
    // It may lie whole at another place, or the disk gives it now: to forget it would lose that too.
    std::erase_if(findings.lost,
                  [&](const ChunkId& chunk) { return state_->store->read(chunk).has_value(); });
    Settlement settlement;
    if (!findings.lost.empty())
        SATCHEL_TRY_VOID(for_each_loss(findings.lost, [&](const Loss& loss) {
            ++settlement.lost_files;
            return each(loss);
        }));
    for (const ChunkId& chunk : findings.lost) {
        if (!gives_up_all && findings.unreadable.count(chunk) != 0) continue;
        SATCHEL_TRY_VOID(state_->store->forget(chunk));
        ++settlement.given_up;
    }
    const bool takes_packs_as_they_are = gives_up_all && findings.is_pack_hit;
    if (takes_packs_as_they_are) SATCHEL_TRY_VOID(state_->store->rebuild_index());
    if (settlement.given_up == 0 && !takes_packs_as_they_are) return settlement;
    // What no longer is whole must not be told as complete, or no hub would send it again.
    SATCHEL_TRY_VOID(exchange::recheck_holdings(replica()));
    SATCHEL_TRY_VOID(refresh_holdings(progress));
    return settlement;
}

}  // namespace satchel::site
