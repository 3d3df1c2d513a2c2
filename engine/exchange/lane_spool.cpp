#include "engine/exchange/lane_spool.hpp"

namespace satchel::exchange {

const LaneSpool::Stretch* LaneSpool::find(const std::string& lane,
                                          const std::optional<catalogue::GitId>& from,
                                          const catalogue::GitId& to) const {
    for (const Stretch& stretch : stretches_)
        if (stretch.lane == lane && stretch.from == from && stretch.to == to) return &stretch;
    return nullptr;
}

Result<void> LaneSpool::drop(const Stretch& stretch) {
    SATCHEL_TRY(database::Statement remove,
                replica_.database.prepare("DELETE FROM temp.lane_spool WHERE stretch = ?"));
    remove.bind(1, stretch.number);
    return remove.run();
}

Result<std::uint32_t> LaneSpool::prepare(const std::string& lane, const std::optional<catalogue::GitId>& from,
                                         const catalogue::GitId& to) {
    if (const Stretch* there = find(lane, from, to)) return there->count;
    SATCHEL_TRY_VOID(replica_.database.run(
        "CREATE TEMP TABLE IF NOT EXISTS lane_spool (stretch INTEGER NOT NULL, place INTEGER NOT NULL, "
        "batch BLOB NOT NULL, PRIMARY KEY (stretch, place))"));
    while (stretches_.size() >= kSpoolsMax) {
        SATCHEL_TRY_VOID(drop(stretches_.front()));
        stretches_.pop_front();
    }
    Stretch made{lane, from, to, next_number_++, 0};
    SATCHEL_TRY(
        database::Statement insert,
        replica_.database.prepare("INSERT INTO temp.lane_spool (stretch, place, batch) VALUES (?, ?, ?)"));
    const Result<void> exported =
        replica_.catalogue.export_objects(lane, from, [&](ByteView batch) -> Result<void> {
            if (made.count >= kLaneBatchesMax)
                return fail(ErrorCode::kTooLarge, lane, "the catalogue is too large for one conversation",
                            "bring the catalogue on a stick");
            insert.bind(1, made.number).bind(2, std::int64_t{made.count}).bind_blob(3, batch);
            made.count += 1;
            return insert.run();
        });
    if (!exported.has_value()) {
        SATCHEL_TRY_VOID(drop(made));
        return exported.error();
    }
    stretches_.push_back(made);
    return made.count;
}

Result<LanePiece> LaneSpool::read(const std::string& lane, const std::optional<catalogue::GitId>& from,
                                  const catalogue::GitId& to, std::uint32_t index) {
    const auto gone = [&] {
        return fail(ErrorCode::kNotFound, lane, "nothing of this lane is here",
                    "read a stick that carries it", "spool");
    };
    const Stretch* stretch = find(lane, from, to);
    if (stretch == nullptr || index >= stretch->count) return gone();
    SATCHEL_TRY(
        database::Statement select,
        replica_.database.prepare("SELECT batch FROM temp.lane_spool WHERE stretch = ? AND place = ?"));
    select.bind(1, stretch->number).bind(2, std::int64_t{index});
    SATCHEL_TRY(const bool row, select.step());
    if (!row) return gone();
    const ByteView batch = select.blob(0);
    return LanePiece{lane, from, to, index, stretch->count, ByteBuffer(batch.begin(), batch.end())};
}

}  // namespace satchel::exchange
