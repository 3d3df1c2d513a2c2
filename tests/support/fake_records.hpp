// Records in memory for tests of the exchange: unsigned feeds, each a single chain.
#pragma once

#include <algorithm>
#include <map>

#include "engine/base/encoding.hpp"
#include "engine/exchange/records_port.hpp"

namespace satchel::support {

class FakeRecords : public exchange::RecordsPort {
  public:
    explicit FakeRecords(const SiteId& self) : self_(self) {}

    // An event of this site: one segment of about `size` bytes.
    void record(std::size_t size) { append_to(self_, size); }
    void append_to(const SiteId& site, std::size_t size) {
        std::vector<ByteBuffer>& chain = feeds_[site];
        ByteBuffer segment;
        Writer writer(segment);
        writer.raw(site.view()).u64(chain.size());
        writer.raw(chain.empty() ? ByteView(Digest{}) : ByteView(id_of(chain.back()).digest));
        while (segment.size() < size) segment.push_back(static_cast<std::uint8_t>(segment.size() * 31));
        chain.push_back(std::move(segment));
    }
    [[nodiscard]] const std::map<SiteId, std::vector<ByteBuffer>>& feeds() const { return feeds_; }
    [[nodiscard]] const std::vector<ByteBuffer>& acknowledged() const { return acknowledged_; }
    std::function<bool(const SiteId&)> is_named;  // by the roster; without it all are
    [[nodiscard]] std::uint64_t accepted_again() const { return accepted_again_; }

    Result<void> close_segment() override { return {}; }
    Result<std::vector<exchange::FeedHead>> heads_of(const SiteId& site) override {
        std::vector<exchange::FeedHead> heads;
        const auto feed = feeds_.find(site);
        if (feed != feeds_.end() && !feed->second.empty())
            heads.push_back({1, {}, feed->second.size(), id_of(feed->second.back())});
        return heads;
    }
    Result<bool> has(const exchange::SegmentId& id) override {
        return std::any_of(feeds_.begin(), feeds_.end(), [&](const auto& feed) {
            return std::any_of(feed.second.begin(), feed.second.end(),
                               [&](const ByteBuffer& segment) { return id_of(segment) == id; });
        });
    }
    Result<void> for_each_feed(
        const std::function<Result<void>(const SiteId&, std::span<const exchange::FeedHead>)>& each)
        override {
        for (const auto& [site, chain] : feeds_) {
            SATCHEL_TRY(const std::vector<exchange::FeedHead> heads, heads_of(site));
            if (!heads.empty()) SATCHEL_TRY_VOID(each(site, heads));
        }
        return {};
    }
    Result<void> segments_after(
        const SiteId& site, std::span<const exchange::SegmentId> known,
        const std::function<Result<bool>(const exchange::SegmentId&, ByteView)>& sink) override {
        const std::vector<ByteBuffer>& chain = feeds_[site];
        std::size_t from = 0;
        for (std::size_t i = 0; i < chain.size(); ++i)
            if (std::find(known.begin(), known.end(), id_of(chain[i])) != known.end()) from = i + 1;
        for (std::size_t i = from; i < chain.size(); ++i) {
            SATCHEL_TRY(const bool go_on, sink(id_of(chain[i]), chain[i]));
            if (!go_on) return {};
        }
        return {};
    }
    Result<Taken> accept(ByteView segment) override {
        const Error refused = fail(ErrorCode::kRefused, "segment", "the signature does not hold",
                                   "write the stick again from its source");
        Reader reader(segment);
        SiteId site{reader.digest()};
        if (is_named && !is_named(site)) return fail(ErrorCode::kNotFound, "segment", "no site", "wait");
        const std::uint64_t sequence = reader.u64();
        const Digest before = reader.digest();
        if (!reader.ok()) return refused;
        std::vector<ByteBuffer>& chain = feeds_[site];
        if (sequence < chain.size()) {
            if (!equal(chain[sequence], segment)) return refused;
            accepted_again_ += 1;
            return Taken{false, site};
        }
        const Digest last = chain.empty() ? Digest{} : id_of(chain.back()).digest;
        if (sequence > chain.size()) return Taken{false, site};  // what lies between was lost: later, then
        if (before != last) return refused;
        chain.emplace_back(segment.begin(), segment.end());
        return Taken{true, site};
    }
    Result<void> commit() override { return {}; }
    Result<std::vector<ByteBuffer>> acknowledge(std::span<const SiteId> sites) override {
        ByteBuffer word;
        for (const SiteId& site : sites) append(word, site.view());
        return std::vector<ByteBuffer>{std::move(word)};
    }
    bool has_room = true;
    std::map<SiteId, std::vector<exchange::FeedHead>> settled;  // as hubs have acknowledged it
    Result<bool> has_room_for_others() override { return has_room; }
    Result<void> for_each_unsettled_feed(
        const std::function<Result<void>(const SiteId&, std::span<const exchange::FeedHead>)>& each)
        override {
        return for_each_feed(each);
    }
    Result<std::vector<exchange::FeedHead>> settled_heads(const SiteId& site) override {
        return settled[site];
    }
    Result<void> unsettled_after(
        const SiteId& site, std::span<const exchange::SegmentId> known,
        const std::function<Result<bool>(const exchange::SegmentId&, ByteView)>& sink) override {
        return segments_after(site, known, sink);
    }
    Result<void> for_each_unacknowledged(const std::function<Result<bool>(ByteView)>&) override { return {}; }
    Result<void> for_each_own_acknowledgement(const std::function<Result<void>(ByteView)>&) override {
        return {};
    }
    Result<void> accept_acknowledgement(ByteView acknowledgement) override {
        acknowledged_.emplace_back(acknowledgement.begin(), acknowledgement.end());
        return {};
    }

  private:
    static exchange::SegmentId id_of(const ByteBuffer& segment) { return {hash_of(segment)}; }
    SiteId self_;
    std::map<SiteId, std::vector<ByteBuffer>> feeds_;
    std::vector<ByteBuffer> acknowledged_;
    std::uint64_t accepted_again_ = 0;
};

}  // namespace satchel::support
