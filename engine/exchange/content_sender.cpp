#include "engine/exchange/content_sender.hpp"

#include <algorithm>
#include <utility>

#include "engine/exchange/freight_gate.hpp"

namespace satchel::exchange {

void ContentSender::add(const Wanted& wanted) {
    if (current_ && current_->id == wanted.id) return;
    const auto same = [&](const Wanted& each) { return each.id == wanted.id; };
    if (std::any_of(queue_.begin(), queue_.end(), same)) return;
    if (queue_.size() < kRequestsPerPeerMax) queue_.push_back(wanted);
}

void ContentSender::refuse(const ChunkId& id) {
    if (absent_.size() < kRequestsPerPeerMax) absent_.push_back(id);
}

Result<void> ContentSender::open(const Wanted& wanted, std::vector<Error>& damaged) {
    Result<ByteBuffer> record = store_.read_record(wanted.id);
    if (!record.has_value()) {
        const ErrorCode code = record.error().code;
        if (code != ErrorCode::kNotFound && !is_unreadable(record.error())) return record.error();
        if (code != ErrorCode::kNotFound && damaged.size() < kRefusedMax) damaged.push_back(record.error());
        absent_.push_back(wanted.id);
        return {};
    }
    const bool goes_on = wanted.size == record->size() && wanted.offset < record->size();
    current_ = Current{wanted.id, std::move(*record), goes_on ? wanted.offset : 0};
    return {};
}

Result<Body> ContentSender::next(std::vector<Error>& damaged) {
    while (!current_ && !queue_.empty() && absent_.size() < kNotHereMax) {
        const Wanted wanted = queue_.front();
        queue_.pop_front();
        SATCHEL_TRY_VOID(open(wanted, damaged));
    }
    if (!absent_.empty()) return Body(NotHere{std::exchange(absent_, {})});
    if (!current_) return Body(UnknownMessage{});
    Data data;
    data.id = current_->id;
    data.size = static_cast<std::uint32_t>(current_->record.size());
    data.offset = current_->offset;
    const std::size_t bytes = std::min(kPieceBytes, current_->record.size() - current_->offset);
    const ByteView piece = ByteView(current_->record).subspan(current_->offset, bytes);
    data.bytes.assign(piece.begin(), piece.end());
    current_->offset += static_cast<std::uint32_t>(bytes);
    if (current_->offset == current_->record.size()) {
        current_.reset();
        records_sent_ += 1;
    }
    return Body(std::move(data));
}

}  // namespace satchel::exchange
