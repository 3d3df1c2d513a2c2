// Head slots: any bytes are decoded or refused; what is decoded encodes to the same; a file of any bytes is
// read, and can be written to unless a newer program wrote it.
#include <algorithm>
#include <cstdlib>

#include "simulations/world/sim_disk.hpp"
#include "transport/stick/layout.hpp"

namespace {

using namespace satchel;

void demand(bool condition) {
    if (!condition) std::abort();
}

trust::SigningKey writer_key() {  // of the seeds in the corpus
    std::array<std::uint8_t, 32> seed{};
    seed.fill(1);
    return trust::SigningKey::from_seed(seed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes(data, size);
    const trust::SigningKey key = writer_key();
    const Result<stick::Head> head = stick::decode_head(bytes);
    if (head.has_value() && head->writer == key.public_key())
        demand(equal(stick::encode(*head, key), bytes.first(stick::kSlotBytes)));

    simulations::SimDisk disk({.profile = simulations::SimDiskOptions::kFat});
    const auto file = disk.open("HEADS.SAT", env::OpenMode::kWrite);
    demand(file.has_value() && (*file)->write_at(0, bytes).has_value());
    int damaged = 0;
    const Result<std::optional<stick::Head>> newest = stick::read_head(disk, "", damaged);
    demand(newest.has_value() || newest.error().code == ErrorCode::kUnsupported);
    if (!newest.has_value()) return 0;
    stick::Head next;
    next.generation = *newest ? (*newest)->generation + 1 : 1;
    if (next.generation == 0) return 0;  // the last number there is
    next.writer = key.public_key();
    demand(stick::write_head(disk, "", next, key).has_value());
    const Result<std::optional<stick::Head>> read = stick::read_head(disk, "", damaged);
    demand(read.has_value() && *read == next);
    return 0;
}
