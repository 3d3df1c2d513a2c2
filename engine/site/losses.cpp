// Which files need objects that are damaged: what a person wants to hear of a pack, a place and a hash; and
// that they come anew.
#include <algorithm>

#include "engine/exchange/holdings.hpp"
#include "engine/exchange/lacks.hpp"
#include "engine/site/site_state.hpp"
#include "engine/store/ingest.hpp"

namespace satchel::site {

namespace {

using EachLoss = std::function<Result<void>(const Loss&)>;

bool is_gone(const Error& error) {
    return error.code == ErrorCode::kDamaged || error.code == ErrorCode::kNotFound ||
           error.code == ErrorCode::kIo;
}

// What nobody can read here: chunks that are known to be damaged and, where a pack lacks chunks that nobody
// can name, whatever is not in the store.
class Lost {
  public:
    Lost(store::Store& store, const Findings& findings, std::size_t remembered_max)
        : store_(store), findings_(findings), remembered_max_(remembered_max) {}
    [[nodiscard]] bool is_any() const { return !findings_.lost.empty() || findings_.lacks_chunks; }
    [[nodiscard]] bool has(const ChunkId& id) {
        if (findings_.lost.count(id) != 0) return true;
        if (!findings_.lacks_chunks) return false;
        const Result<bool> is_here = store_.contains(id);
        is_unsure_ = is_unsure_ || !is_here.has_value();
        return is_here.has_value() && !*is_here;
    }
    void remember(const ChunkId& id, std::set<ChunkId>& needed) {
        if (findings_.lost.count(id) != 0 || remembered_ < remembered_max_)
            remembered_ += needed.insert(id).second ? 1u : 0u;
        else
            is_unsure_ = true;
    }
    // Something could not be read and is not among what is lost: perhaps more is.
    void note_unsure() { is_unsure_ = true; }
    [[nodiscard]] bool is_unsure() const { return is_unsure_; }

  private:
    store::Store& store_;
    const Findings& findings_;
    const std::size_t remembered_max_;
    bool is_unsure_ = false;
    std::size_t remembered_ = 0;  // of all editions
};

// Adds what of `lost` a file needs to `needed`; whether that is any, or can't be known.
Result<bool> find_needed(store::Store& store, const store::FileContent& content, Lost& lost,
                         std::set<ChunkId>& needed) {
    bool is_hit = false;
    const auto look = [&](const ChunkId& id) {
        if (!lost.has(id)) return;
        lost.remember(id, needed);
        is_hit = true;
    };
    if (const auto* recipe = std::get_if<store::RecipeContent>(&content)) look(recipe->recipe);
    if (is_hit) return true;
    const Result<std::vector<store::Extent>> extents = store::extents_of(store, content);
    if (!extents.has_value() && is_gone(extents.error())) {
        lost.note_unsure();
        return true;
    }
    if (!extents.has_value()) return extents.error();
    for (const store::Extent& extent : *extents) look(extent.chunk);
    return is_hit;
}

// What of `lost` the edition needs. `go_on` is asked at each file and node.
Result<std::set<ChunkId>> losses_of(store::Store& store, const catalogue::Edition& edition, Lost& lost,
                                    const EachLoss& each, const std::function<Result<void>()>& go_on) {
    std::set<ChunkId> needed;
    bool is_list_hit = false;
    store::ManifestReader reader([&](const ChunkId& id) { return store.read(id); }, edition.manifest);
    const auto file = [&](const store::ManifestEntry& entry) -> Result<void> {
        SATCHEL_TRY_VOID(go_on());
        SATCHEL_TRY(const bool is_hit, find_needed(store, entry.content, lost, needed));
        return is_hit ? each({edition.course, edition.number, entry.path}) : Result<void>();
    };
    const auto node = [&](const ChunkId& id) -> Result<bool> {
        SATCHEL_TRY_VOID(go_on());
        const bool is_lost = lost.has(id);
        is_list_hit = is_list_hit || is_lost;
        if (is_lost) lost.remember(id, needed);
        return !is_lost;
    };
    const Result<void> walked = reader.for_each(file, node);
    if (!walked.has_value() && !is_gone(walked.error())) return walked.error();
    if (!walked.has_value()) lost.note_unsure();
    if (!walked.has_value() || is_list_hit) SATCHEL_TRY_VOID(each({edition.course, edition.number, ""}));
    return needed;
}

// A complete edition that what is lost hits.
struct Hit {
    ChunkId manifest;
    std::set<ChunkId> needed;
    bool comes_anew = false;  // a link or a stick would bring it
};

Result<std::vector<Hit>> hits_of(Site::State& state, Lost& lost, const EachLoss& each, Progress& progress) {
    std::vector<Hit> hits;
    ProgressUpdate now{.stage = "looking which files are hit", .item = {}};
    SATCHEL_TRY(const std::vector<exchange::Subscription> subscribed,
                exchange::subscriptions(*state.database));
    const bool is_hub = state.self.role == trust::SiteRole::kHub;
    SATCHEL_TRY_VOID(
        state.catalogue->for_each_edition([&](const catalogue::EditionState& held) -> Result<void> {
            const catalogue::Edition& edition = held.edition;
            SATCHEL_TRY(const bool complete, exchange::is_complete(*state.database, edition.manifest));
            if (!complete) return {};
            now.item = edition.course;
            SATCHEL_TRY(std::set<ChunkId> needed,
                        losses_of(*state.store, edition, lost, each, [&] { return progress.update(now); }));
            ++now.items_done;
            if (needed.empty()) return {};
            const bool is_meant = held.is_current && exchange::is_meant(subscribed, edition);
            hits.push_back({edition.manifest, std::move(needed), is_hub || is_meant});
            return {};
        }));
    return hits;
}

// What only such editions need as nobody brings again stays, damaged as it is: all else of them is whole.
// What no complete edition needs may go: who misses it asks for it.
std::set<ChunkId> worth_giving_up(const Findings& findings, const std::vector<Hit>& hits) {
    std::set<ChunkId> given_up = findings.lost;
    for (const Hit& hit : hits)
        if (!hit.comes_anew)
            for (const ChunkId& chunk : hit.needed) given_up.erase(chunk);
    for (const Hit& hit : hits)
        if (hit.comes_anew) given_up.insert(hit.needed.begin(), hit.needed.end());
    for (const ChunkId& chunk : findings.unreadable) given_up.erase(chunk);
    return given_up;
}

// Where what is given up comes anew, also for others that need it: they lapse until then.
Result<void> note_incomplete(Site::State& state, const std::vector<Hit>& hits, GiveUp give_up,
                             const std::set<ChunkId>& given_up) {
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(*state.database));
    for (const Hit& hit : hits) {
        const bool is_hit = std::any_of(hit.needed.begin(), hit.needed.end(),
                                        [&](const ChunkId& chunk) { return given_up.count(chunk) != 0; });
        if (!is_hit) continue;
        SATCHEL_TRY_VOID(give_up == GiveUp::kAll ? exchange::forget_holding(*state.database, hit.manifest)
                                                 : exchange::note_lapsed(*state.database, hit.manifest));
    }
    return transaction.commit();
}

}  // namespace

void Findings::add(const store::Damage& damage) {
    ++(damage.healed ? healed : damaged);
    healed_bytes += damage.healed_bytes;
    if (damage.healed) return;
    const ErrorCode code = damage.error.code;
    const bool is_hindered =
        code == ErrorCode::kIo || code == ErrorCode::kNoSpace || code == ErrorCode::kReadOnly;
    if (!damage.chunk) {
        lacks_chunks = lacks_chunks || damage.lacks_chunks > 0;
        is_pack_hit = is_pack_hit || damage.lacks_chunks == 0 || code == ErrorCode::kNotFound;
        if (is_hindered) hindered_.insert(damage.pack);
        return;
    }
    if (lost.size() >= kLostMax) return;
    lost.insert(*damage.chunk);
    if (is_hindered || hindered_.count(damage.pack) != 0) unreadable.insert(*damage.chunk);
}

Result<Settlement> Site::settle(Findings& findings, GiveUp give_up, const EachLoss& each, Progress& progress,
                                const LackLimits& limits) {
    Result<Settlement> settled = settle_once(findings, give_up, each, progress, limits);
    if (settled.has_value()) return settled;
    // What can't be noted now is found when its turn comes.
    static_cast<void>(state_->store->scrub_lossy_first().has_value());
    return settled;
}

Result<Settlement> Site::settle_once(Findings& findings, GiveUp give_up, const EachLoss& each,
                                     Progress& progress, const LackLimits& limits) {
    // It may lie whole at another place, or the disk gives it now: to forget it would lose that too.
    std::erase_if(findings.lost,
                  [&](const ChunkId& chunk) { return state_->store->read(chunk).has_value(); });
    Settlement settlement;
    std::vector<Hit> hits;
    const auto counted = [&](const Loss& loss) {
        ++settlement.lost_files;
        return each(loss);
    };
    Lost lost(*state_->store, findings, limits.remembered);
    if (lost.is_any()) {
        SATCHEL_TRY(hits, hits_of(*state_, lost, counted, progress));
    }
    settlement.not_brought = static_cast<std::uint64_t>(
        std::count_if(hits.begin(), hits.end(), [](const Hit& hit) { return !hit.comes_anew; }));
    std::set<ChunkId> given_up;
    if (give_up == GiveUp::kDamaged) given_up = worth_giving_up(findings, hits);
    if (give_up == GiveUp::kAll) given_up = findings.lost;
    if (give_up == GiveUp::kDamaged && given_up.size() > findings.lost.size() + limits.given_up) {
        findings.is_pack_hit = true;
        return settlement;
    }
    // First what lacks them is no longer told as complete, or no hub would send them again.
    if (!given_up.empty()) SATCHEL_TRY_VOID(note_incomplete(*state_, hits, give_up, given_up));
    for (const ChunkId& chunk : given_up) SATCHEL_TRY_VOID(state_->store->forget(chunk));
    settlement.given_up = given_up.size();
    if (give_up == GiveUp::kDamaged && findings.lacks_chunks && settlement.not_brought == 0 &&
        !lost.is_unsure())
        SATCHEL_TRY_VOID(state_->store->write_off_cut_chunks());
    if (give_up != GiveUp::kAll) {
        // What was missing may be back, as a pack that somebody had moved away.
        SATCHEL_TRY_VOID(refresh_holdings(progress));
        return settlement;
    }
    SATCHEL_TRY_VOID(exchange::forget_lapsed(*state_->database));
    const bool is_pack_hit = findings.lacks_chunks || findings.is_pack_hit;
    if (is_pack_hit) SATCHEL_TRY_VOID(state_->store->rebuild_index());
    SATCHEL_TRY_VOID(state_->store->write_off_cut_chunks());
    SATCHEL_TRY_VOID(state_->store->write_off_unread_packs());
    SATCHEL_TRY_VOID(exchange::recheck_holdings(replica()));
    SATCHEL_TRY_VOID(refresh_holdings(progress));
    return settlement;
}

// Rechecked before, too: with the index goes what tells that a pack is missing, and the power may go then.
Result<void> Site::rebuild_index(Progress& progress) {
    SATCHEL_TRY_VOID(exchange::recheck_holdings(replica()));
    SATCHEL_TRY_VOID(state_->store->rebuild_index());
    SATCHEL_TRY_VOID(exchange::recheck_holdings(replica()));
    return refresh_holdings(progress);
}

}  // namespace satchel::site
