// Volumes: any bytes are read or refused, in bounded time; what is given out is whole; and what a writer goes
// on with ends whole.
#include <cstdlib>

#include "simulations/world/sim_disk.hpp"
#include "transport/stick/volume_format.hpp"

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

std::uint64_t read_all(env::Disk& disk, std::uint64_t& committed) {
    const auto reader = stick::VolumeReader::open(disk, "V.SAT");
    if (!reader.has_value()) return 0;
    std::uint64_t records = 0, place = 0;
    while (true) {
        const auto record = (*reader)->next([&](std::uint64_t at, const Error&) {
            demand(at >= place);
            place = at;
        });
        demand(record.has_value());
        if (!*record) break;
        demand((*record)->place >= place && store::check_record((*record)->bytes).has_value());
        place = (*record)->place + (*record)->bytes.size();
        ++records;
    }
    committed = (*reader)->committed_bytes();
    demand(committed <= (*reader)->size());
    return records;
}

void write(env::Disk& disk, ByteView bytes) {
    const auto file = disk.open("V.SAT", env::OpenMode::kWrite);
    demand(file.has_value() && (*file)->truncate(0).has_value() && (*file)->write_at(0, bytes).has_value());
}

void try_bytes(ByteView bytes) {
    simulations::SimDisk disk({.profile = simulations::SimDiskOptions::kFat});
    write(disk, bytes);
    std::uint64_t committed = 0;
    const std::uint64_t records = read_all(disk, committed);
    const trust::SigningKey key = writer_key();
    std::uint64_t kept = 0;
    auto writer =
        stick::VolumeWriter::resume(disk, "V.SAT", key, [&](const store::RecordHeader&) -> Result<void> {
            ++kept;
            return {};
        });
    if (!writer.has_value()) return;
    demand(kept <= records && (*writer)->size() >= committed);
    ByteBuffer one;
    store::encode_record(one, store::RecordType::kChunk, bytes_of("one more"));
    demand((*writer)->append(one).has_value() && (*writer)->commit().has_value());
    demand(read_all(disk, committed) > kept && committed == (*writer)->size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes(data, size);
    try_bytes(bytes);
    // The same as records behind a header that holds, which few mutations leave whole.
    const trust::SigningKey key = writer_key();
    stick::VolumeHeader header;
    header.writer = key.public_key();
    ByteBuffer behind_header = stick::encode_header_area(header, key);
    append(behind_header, bytes);
    try_bytes(behind_header);
    return 0;
}
