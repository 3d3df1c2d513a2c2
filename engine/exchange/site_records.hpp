// A site's records as carriers see them: what is in its scope comes in, what others lack goes out, and hubs
// say what they hold.
#pragma once

#include <functional>

#include "engine/exchange/acknowledgement.hpp"
#include "engine/exchange/custody.hpp"
#include "engine/exchange/records_port.hpp"
#include "engine/records/records.hpp"

namespace satchel::exchange {

class SiteRecords : public RecordsPort {
  public:
    // All borrowed.
    SiteRecords(records::Records& records, database::Database& database, trust::TrustStore& trust,
                const trust::SigningKey& key, const NetworkId& network)
        : custody_(database),
          records_(records),
          database_(database),
          trust_(trust),
          key_(key),
          network_(network) {}

    Result<void> close_segment() override { return records_.close_segment(); }
    Result<std::vector<FeedHead>> heads_of(const SiteId& site) override;
    Result<bool> has(const SegmentId& id) override;
    Result<void> for_each_feed(
        const std::function<Result<void>(const SiteId&, std::span<const FeedHead>)>& each) override;
    Result<void> segments_after(const SiteId& site, std::span<const SegmentId> known,
                                const std::function<Result<bool>(const SegmentId&, ByteView)>& sink) override;
    Result<Taken> accept(ByteView segment) override;
    Result<void> commit() override;
    Result<std::vector<ByteBuffer>> acknowledge(std::span<const SiteId> sites) override;
    Result<void> accept_acknowledgement(ByteView bytes) override;

    Result<bool> has_room_for_others() override { return custody_.has_room(); }
    Result<void> for_each_unsettled_feed(
        const std::function<Result<void>(const SiteId&, std::span<const FeedHead>)>& each) override;
    Result<std::vector<FeedHead>> settled_heads(const SiteId& site) override;
    Result<void> unsettled_after(
        const SiteId& site, std::span<const SegmentId> known,
        const std::function<Result<bool>(const SegmentId&, ByteView)>& sink) override;

    Result<void> for_each_unacknowledged(const std::function<Result<bool>(ByteView segment)>& sink) override;
    Result<void> for_each_own_acknowledgement(
        const std::function<Result<void>(ByteView statement)>& sink) override;
    // What this hub has acknowledged of the feed; empty if nothing.
    Result<std::vector<FeedHead>> acknowledged_by(const SiteId& hub, const SiteId& site);

    Result<CustodyUse> custody_use() { return custody_.use(); }

  private:
    Result<bool> is_hub();
    Result<bool> is_in_scope(const SiteId& site);
    Result<std::map<SiteId, std::vector<FeedHead>>> carried_feeds();
    Result<bool> is_settled(const records::OpenedSegment& opened);
    Result<ByteBuffer> statement_of(std::vector<AcknowledgedFeed> feeds);
    Result<bool> keep(const SiteId& hub, std::uint64_t sequence, const AcknowledgedFeed& feed);
    Result<void> keep_word(const SiteId& hub, std::uint64_t sequence, ByteView word);
    Result<std::size_t> hubs_needed();
    Result<bool> is_active_hub(const SiteId& site);
    Result<std::vector<SiteId>> hubs_that_acknowledged(const SiteId& site);
    Result<std::vector<ByteBuffer>> words_on(std::span<const SiteId> sites);

    Custody custody_;
    records::Records& records_;
    database::Database& database_;
    trust::TrustStore& trust_;
    const trust::SigningKey& key_;
    const NetworkId& network_;
};

}  // namespace satchel::exchange
