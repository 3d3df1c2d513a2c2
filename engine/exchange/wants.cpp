#include "engine/exchange/wants.hpp"

#include <algorithm>

#include "engine/exchange/edition_walk.hpp"
#include "engine/exchange/haves.hpp"
#include "engine/exchange/holdings.hpp"
#include "engine/exchange/lacks.hpp"

namespace satchel::exchange {

Result<std::unique_ptr<Wants>> Wants::create(const Replica& replica) {
    SATCHEL_TRY(Intake intake, Intake::create(replica.database, replica.store, "link"));
    std::unique_ptr<Wants> wants(new Wants(replica, std::move(intake)));
    SATCHEL_TRY_VOID(wants->refresh());
    return wants;
}

void Wants::release(SessionKey session) {
    const std::size_t given_back =
        std::erase_if(asked_, [session](const auto& each) { return each.second.session == session; });
    if (there_.erase(session) > 0) declined_there_.clear();
    const bool gathered = gathered_ && gathered_->session == session;
    if (gathered) gathered_->session = 0;  // anyone may go on with it
    if (given_back > 0 || gathered) note_change();
}

// Only what is new, or may come in deeper, is walked; if something stopped being wanted, or no longer has
// room, or the store gave something up that had come, the table is made anew.
Result<void> Wants::refresh() {
    note_change();
    std::optional<std::set<ChunkId>> there;  // looked up if room is wanted
    const auto find_source = [&](const ChunkId& manifest) -> Result<Source> {
        if (!there) {
            SATCHEL_TRY(there, editions_there());
        }
        return there->contains(manifest) ? Source::kLine : Source::kNone;
    };
    SATCHEL_TRY(const std::vector<WantedEdition> planned, plan_wanted(replica_, find_source));
    std::map<ChunkId, Depth> plan;
    waits_for_structure_ = false;
    declines_some_ = false;
    for (const WantedEdition& each : planned) {
        plan.emplace(each.edition.manifest, each.depth);
        waits_for_structure_ = waits_for_structure_ || each.depth == Depth::kStructure;
        declines_some_ = declines_some_ || each.depth == Depth::kDeclined;
    }
    const bool lost_some = std::any_of(manifests_.begin(), manifests_.end(), [&](const auto& before) {
        const auto now = plan.find(before.first);
        return now == plan.end() || now->second > before.second;
    });
    if (lost_some || replica_.store.losses() != losses_) {
        losses_ = replica_.store.losses();
        SATCHEL_TRY_VOID(intake_.clear());
        manifests_.clear();
    }
    for (const WantedEdition& each : planned) {
        const ChunkId& manifest = each.edition.manifest;
        const auto before = manifests_.find(manifest);
        if (before != manifests_.end() && before->second == each.depth) continue;
        const Result<void> wanted = intake_.want_edition(manifest, each.depth);
        if (!wanted.has_value() && !is_unreadable(wanted.error())) return wanted;
        manifests_[manifest] = each.depth;  // of one that is damaged here, `store verify` tells
        taken_since_settled_ += 1;          // perhaps all of it is here already
    }
    return {};
}

Result<void> Wants::note_source(SessionKey session, const SiteId& peer, std::uint64_t have_sequence) {
    const auto source = std::pair(peer, have_sequence);
    const auto known = there_.find(session);
    if (known != there_.end() && known->second == source) return {};
    there_[session] = source;
    if (!declines_some_) return {};
    SATCHEL_TRY(const std::set<ChunkId> there, editions_there());
    std::set<ChunkId> declined_there;
    for (const auto& [manifest, depth] : manifests_)
        if (depth == Depth::kDeclined && there.contains(manifest)) declined_there.insert(manifest);
    const bool is_new = !std::includes(declined_there_.begin(), declined_there_.end(), declined_there.begin(),
                                       declined_there.end());
    declined_there_ = std::move(declined_there);
    return is_new ? refresh() : Result<void>();  // to reckon what room can be made is a walk over all
}

// Of the current ones: not what a peer tells without end. One have at a time: each may be of a megabyte.
Result<std::set<ChunkId>> Wants::editions_there() const {
    std::set<ChunkId> editions;
    for (const auto& [session, source] : there_) {
        SATCHEL_TRY(const std::optional<Have> have, peer_have(replica_, source.first));
        if (!have) continue;
        SATCHEL_TRY_VOID(
            replica_.catalogue.for_each_edition([&](const catalogue::EditionState& state) -> Result<void> {
                const ChunkId& manifest = state.edition.manifest;
                const std::vector<EditionMark>& held = have->complete;
                if (state.is_current && std::binary_search(held.begin(), held.end(), mark_of(manifest)))
                    editions.insert(manifest);
                return {};
            }));
    }
    return editions;
}

bool Wants::was_custody_told(const SiteId& peer, const Digest& digest) const {
    const auto told = custody_told_.find(peer);
    return told != custody_told_.end() && told->second == digest;
}

void Wants::note_custody_told(const SiteId& peer, const Digest& digest) {
    if (custody_told_.size() >= kPeersRemembered) custody_told_.clear();
    custody_told_[peer] = digest;
}

Wanted Wants::wanted_of(const ChunkId& id) const {
    const auto part = parts_.find(id);
    if (part == parts_.end()) return {id, 0, 0};
    return {id, static_cast<std::uint32_t>(part->second.bytes.size()), part->second.size};
}

std::uint64_t Wants::bytes_in_flight(SessionKey session) const {
    std::uint64_t bytes = 0;
    for (const auto& [id, request] : asked_) {
        if (request.session != session) continue;
        const auto part = parts_.find(id);
        bytes += part == parts_.end() ? kChunkBytesGuess : part->second.size - part->second.bytes.size();
    }
    return bytes;
}

std::size_t Wants::asked(SessionKey session) const {
    return static_cast<std::size_t>(std::count_if(asked_.begin(), asked_.end(), [session](const auto& each) {
        return each.second.session == session;
    }));
}

std::vector<Wanted> Wants::asked_of(SessionKey session) const {
    std::vector<std::pair<std::uint64_t, ChunkId>> in_order;
    for (const auto& [id, request] : asked_)
        if (request.session == session) in_order.emplace_back(request.order, id);
    std::sort(in_order.begin(), in_order.end());
    std::vector<Wanted> all;
    for (const auto& [order, id] : in_order) all.push_back(wanted_of(id));
    return all;
}

Result<std::vector<Wanted>> Wants::ask(SessionKey session, std::size_t count_max,
                                       const std::set<ChunkId>& skip) {
    std::vector<Wanted> all;
    const std::size_t now = asked(session);
    const std::size_t room = std::min(count_max, kRequestsInFlightMax - std::min(kRequestsInFlightMax, now));
    std::uint64_t bytes = bytes_in_flight(session);
    if (room == 0 || bytes >= kBytesInFlightMax) return all;
    const std::size_t looked_at = std::min(kLookedAtMax, room + asked_.size() + skip.size());
    SATCHEL_TRY_VOID(intake_.for_first_wanted(looked_at, [&](const ChunkId& id) -> Result<void> {
        if (all.size() >= room || bytes >= kBytesInFlightMax) return {};
        if (asked_.contains(id) || skip.contains(id)) return {};
        const Wanted wanted = wanted_of(id);
        asked_[id] = {session, ++touches_};
        bytes += wanted.size == 0 ? kChunkBytesGuess : wanted.size - wanted.offset;
        all.push_back(wanted);
        return {};
    }));
    return all;
}

void Wants::drop_part(std::map<ChunkId, Part>::iterator part) {
    parts_bytes_ -= part->second.bytes.capacity();
    parts_.erase(part);
}

// The part that waited longest goes first; what it held is sent again.
void Wants::make_room(std::size_t bytes, const ChunkId& keep) {
    while (!parts_.empty() && (parts_bytes_ + bytes > kPartsBytesMax || parts_.size() >= kPartsMax)) {
        auto oldest = parts_.end();
        for (auto part = parts_.begin(); part != parts_.end(); ++part)
            if (part->first != keep &&
                (oldest == parts_.end() || part->second.touched < oldest->second.touched))
                oldest = part;
        if (oldest == parts_.end()) return;
        drop_part(oldest);
    }
}

Result<Wants::Took> Wants::take(SessionKey session, const Data& piece) {
    const auto request = asked_.find(piece.id);
    if (request == asked_.end() || request->second.session != session) return Took::kNotAsked;
    auto part = parts_.find(piece.id);
    if (part != parts_.end() && part->second.size != piece.size) {
        if (piece.offset != 0) return Took::kNotAsked;
        drop_part(part);  // the peer holds it in another form: from the beginning, then
        part = parts_.end();
    }
    if (part == parts_.end()) {
        if (piece.offset != 0) return Took::kNotAsked;
        make_room(piece.size, piece.id);
        part = parts_.try_emplace(piece.id).first;
        part->second.size = piece.size;
        part->second.bytes.reserve(piece.size);
        parts_bytes_ += part->second.bytes.capacity();
    }
    Part& open = part->second;
    open.touched = ++touches_;
    if (piece.offset > open.bytes.size()) return Took::kNotAsked;  // something between was lost
    const std::size_t known = open.bytes.size() - piece.offset;
    if (known >= piece.bytes.size()) return Took::kNotAsked;
    append(open.bytes, ByteView(piece.bytes).subspan(known));
    if (open.bytes.size() < open.size) return Took::kPiece;

    const ByteBuffer record = std::move(open.bytes);
    parts_bytes_ -= record.capacity();
    parts_.erase(part);
    asked_.erase(request);
    const Result<Intake::Offer> offered = intake_.offer(piece.id, record);
    if (offered.has_value()) {
        taken_since_settled_ += 1;
        return *offered == Intake::Offer::kTaken ? Took::kRecord : Took::kNotAsked;
    }
    const ErrorCode code = offered.error().code;
    if (code == ErrorCode::kDamaged || code == ErrorCode::kUnsupported) return Took::kRefused;
    return offered.error();
}

void Wants::not_here(SessionKey session, const ChunkId& id) {
    const auto request = asked_.find(id);
    if (request != asked_.end() && request->second.session == session) asked_.erase(request);
}

Result<std::vector<std::string>> Wants::settle(bool look_at_all) {
    SATCHEL_TRY_VOID(replica_.store.commit());
    std::vector<std::string> courses;
    if (taken_since_settled_ == 0) return courses;
    SATCHEL_TRY(const std::uint64_t wanted, intake_.wanted());
    if (wanted > 0 && !look_at_all) return courses;
    taken_since_settled_ = 0;
    NoProgress silent;
    SATCHEL_TRY_VOID(refresh_holdings(
        replica_, silent, [&](const catalogue::Edition& edition) { courses.push_back(edition.course); }));
    // What became whole takes no more than it has; so there may be room for others now.
    const bool may_fit_now = waits_for_structure_ || (declines_some_ && !courses.empty());
    if (wanted == 0 && may_fit_now) SATCHEL_TRY_VOID(refresh());
    if (!courses.empty()) note_change();
    return courses;
}

}  // namespace satchel::exchange
