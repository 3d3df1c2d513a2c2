#include "engine/site/part_writer.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/base/hash_many.hpp"
#include "engine/store/ingest.hpp"

namespace satchel::site {

namespace {

constexpr std::size_t kLeftoversMax = 4096;

}  // namespace

PartWriter::PartWriter(store::Store& store, env::Offload& offload, env::Disk& target, std::string folder,
                       Calls calls)
    : store_(store),
      offload_(offload),
      target_(target),
      reserve_(target),
      folder_(std::move(folder)),
      calls_(std::move(calls)) {}

std::string PartWriter::path_of(std::uint64_t number) const {
    return env::join(folder_, std::to_string(number));
}

Result<void> PartWriter::begin() {
    SATCHEL_TRY_VOID(target_.make_directory(folder_));
    SATCHEL_TRY(const std::vector<env::EntryInfo> entries, target_.list(folder_));
    has_leftovers_ = !entries.empty();
    for (const env::EntryInfo& entry : entries) {
        const std::uint64_t number = std::strtoull(entry.name.c_str(), nullptr, 10);
        if (std::to_string(number) == entry.name && leftovers_.size() < kLeftoversMax)
            leftovers_.insert(number);
    }
    return {};
}

// Files of others stay there, and so does the folder then.
Result<void> PartWriter::remove_folder() {
    for (const std::uint64_t number : leftovers_) {
        const Result<void> removed = target_.remove_file(path_of(number));
        if (!removed.has_value() && removed.error().code != ErrorCode::kNotFound) return removed;
    }
    const Result<void> removed = target_.remove_directory(folder_);
    const bool is_done = removed.has_value() || removed.error().code == ErrorCode::kExists;
    return is_done ? Result<void>() : removed;
}

Result<void> PartWriter::add(const store::ManifestEntry& entry, std::uint64_t number,
                             const std::optional<std::string>& path) {
    auto job = std::make_unique<Job>();
    job->entry = entry;
    job->number = number;
    SATCHEL_TRY(job->extents, store::extents_of(store_, entry.content));
    std::uint64_t size = 0;
    for (const store::Extent& extent : job->extents) size += extent.length;
    if (size != entry.size)
        return fail(ErrorCode::kDamaged, "recipe", "the bytes are damaged",
                    "fetch it again from a stick or another site", "a recipe and its file differ in length");
    wait();
    if (path) {
        Result<std::unique_ptr<env::File>> there = target_.open(*path, env::OpenMode::kRead);
        const Result<std::uint64_t> found = there.has_value() ? (*there)->size() : 0;
        if (there.has_value() && found.has_value() && *found == entry.size) {
            job->stage = Stage::kComparing;
            job->file = std::move(*there);
        }
    }
    if (!job->file) job->outcome = open_part(*job);
    if (!job->outcome.has_value()) return end(*job, {});
    if (entry.size <= kStepBytes) {
        small_bytes_ += entry.size;
        small_.push_back(std::move(job));
        return small_bytes_ < kSmallBytes && small_.size() < kSmallFiles ? Result<void>() : step();
    }
    const auto lane = std::find(large_.begin(), large_.end(), nullptr);
    row_.begin(static_cast<std::size_t>(lane - large_.begin()));
    *lane = std::move(job);
    while (std::find(large_.begin(), large_.end(), nullptr) == large_.end()) SATCHEL_TRY_VOID(step());
    return {};
}

Result<void> PartWriter::finish() {
    const auto is_busy = [](const std::unique_ptr<Job>& job) { return job != nullptr; };
    while (!small_.empty() || std::any_of(large_.begin(), large_.end(), is_busy)) SATCHEL_TRY_VOID(step());
    return {};
}

// An earlier run may have left a part that cannot be written to, because its file is read-only.
Result<void> PartWriter::open_part(Job& job) {
    const std::string path = path_of(job.number);
    Result<std::unique_ptr<env::File>> file = target_.open(path, env::OpenMode::kWrite);
    if (!file.has_value() && file.error().code == ErrorCode::kReadOnly) {
        if (!target_.remove_file(path).has_value()) return file.error();
        file = target_.open(path, env::OpenMode::kWrite);
    }
    if (!file.has_value()) return file.error();
    job.file = std::move(*file);
    if (job.entry.size > kStepBytes) job.file->expect_no_reuse();
    job.stage = leftovers_.erase(job.number) > 0 ? Stage::kResuming : Stage::kWriting;
    if (job.stage == Stage::kWriting && has_leftovers_) return job.file->truncate(0);
    return {};
}

void PartWriter::ask_for(Job& job, std::uint64_t bytes_max) {
    const std::vector<store::Extent>& extents = job.extents;
    for (std::uint64_t bytes = 0; job.next < extents.size() && bytes < bytes_max;) {
        const ChunkId& chunk = extents[job.next].chunk;
        Request request{&job, job.next, 0};
        for (; job.next < extents.size() && extents[job.next].chunk == chunk && bytes < bytes_max;
             ++job.next) {
            bytes += extents[job.next].length;
            ++request.count;
        }
        if (chunks_.empty() || chunks_.back() != chunk) {
            chunks_.push_back(chunk);
            requests_.emplace_back();
        }
        requests_.back().push_back(request);
    }
}

Result<void> PartWriter::step() {
    chunks_.clear();
    requests_.clear();
    for (const std::unique_ptr<Job>& job : small_) {
        if (job->stage != Stage::kWriting) wait();  // its file is read
        ask_for(*job, std::numeric_limits<std::uint64_t>::max());
    }
    for (const std::unique_ptr<Job>& job : large_) {
        if (!job) continue;
        if (job->stage != Stage::kWriting) wait();
        ask_for(*job, kStepBytes - std::min<std::uint64_t>(job->bytes.size(), kStepBytes));
    }
    SATCHEL_TRY_VOID(store_.read_each(chunks_, [&](std::size_t index, ByteView chunk) -> Result<void> {
        for (const Request& request : requests_[index]) {
            for (std::size_t i = request.first; i < request.first + request.count; ++i) {
                const store::Extent& extent = request.job->extents[i];
                if (std::uint64_t{extent.offset} + extent.length > chunk.size())
                    return fail(ErrorCode::kDamaged, "recipe", "the bytes are damaged",
                                "fetch it again from a stick or another site",
                                "an extent passes the end of its chunk");
                SATCHEL_TRY_VOID(take(*request.job, chunk.subspan(extent.offset, extent.length)));
            }
        }
        return {};
    }));
    wait();
    SATCHEL_TRY_VOID(end_small());
    begin_large();
    return end_large();
}

// What goes wrong with one file stays with it: others may be writable.
Result<void> PartWriter::take(Job& job, ByteView bytes) {
    if (!job.outcome.has_value() || job.is_to_begin_anew) return {};
    if (job.stage != Stage::kWriting) {
        ByteBuffer there(bytes.size());
        const Result<std::size_t> got = job.file->read_at(job.at, there);
        const bool is_same = got.has_value() && *got == bytes.size() && equal(there, bytes);
        job.is_to_begin_anew = !is_same && job.stage == Stage::kComparing;
        if (job.is_to_begin_anew) return {};
        if (!is_same) {
            job.outcome = job.file->truncate(job.at);
            job.stage = Stage::kWriting;
        }
    }
    if (!job.outcome.has_value()) return {};
    if (job.stage == Stage::kWriting) {
        job.unwritten += bytes.size();
        calls_.wrote(bytes.size());
    }
    append(job.bytes, bytes);
    job.at += bytes.size();
    return calls_.went_on(static_cast<std::int64_t>(bytes.size()));
}

// The target may be the disk that the site lies on.
void PartWriter::allow(Job& job) {
    if (job.outcome.has_value() && job.unwritten > 0)
        job.outcome = reserve_.allow(job.unwritten, path_of(job.number));
}

// The bytes of this step, beside the next one. All go to their files; hashed is of each as much as of the
// others, lest lanes stand idle, and the rest of it with the next step, or now where a file ends.
void PartWriter::begin_large() {
    std::array<ByteView, HasherRow::kInputs> pieces;
    std::size_t common = std::numeric_limits<std::size_t>::max();
    for (std::size_t lane = 0; lane < large_.size(); ++lane) {
        if (!large_[lane]) continue;
        Job& job = *large_[lane];
        allow(job);
        taken_[lane].clear();
        std::swap(taken_[lane], job.bytes);
        pieces[lane] = taken_[lane];
        const std::size_t unwritten = std::exchange(job.unwritten, 0);
        if (job.outcome.has_value())
            writing_[lane] = {job.file.get(), job.at - unwritten, pieces[lane].last(unwritten), {}};
        if (!has_ended(job)) common = std::min(common, pieces[lane].size());
    }
    bool is_any = false;
    for (std::size_t lane = 0; lane < large_.size(); ++lane) {
        is_any = is_any || !pieces[lane].empty();
        if (!large_[lane] || has_ended(*large_[lane])) continue;
        append(large_[lane]->bytes, pieces[lane].subspan(common));
        pieces[lane] = pieces[lane].first(common);
    }
    if (!is_any) return;
    writes_ = offload_.begin([this] {
        for (Writing& writing : writing_)
            if (!writing.bytes.empty()) writing.outcome = writing.file->write_at(writing.at, writing.bytes);
    });
    hashes_ = offload_.begin([this, pieces] { row_.update(pieces); });
}

bool PartWriter::has_ended(const Job& job) {
    return !job.outcome.has_value() || job.next == job.extents.size() || job.is_to_begin_anew;
}

void PartWriter::wait() {
    hashes_.reset();
    writes_.reset();
    for (std::size_t lane = 0; lane < large_.size(); ++lane) {
        Writing& writing = writing_[lane];
        if (!writing.outcome.has_value()) large_[lane]->outcome = std::move(writing.outcome);
        writing = {};
    }
}

Result<void> PartWriter::end_small() {
    std::vector<std::unique_ptr<Job>> jobs = std::exchange(small_, {});
    small_bytes_ = 0;
    std::vector<ByteView> inputs;
    for (const std::unique_ptr<Job>& job : jobs) {
        allow(*job);
        if (job->outcome.has_value() && job->unwritten > 0)
            job->outcome =
                job->file->write_at(job->at - job->unwritten, ByteView(job->bytes).last(job->unwritten));
        inputs.emplace_back(job->bytes);
    }
    std::vector<Digest> digests(inputs.size());
    hash_many(inputs, digests);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (!jobs[i]->is_to_begin_anew) {
            SATCHEL_TRY_VOID(end(*jobs[i], digests[i]));
            continue;
        }
        SATCHEL_TRY_VOID(begin_anew(*jobs[i]));
        small_bytes_ += jobs[i]->entry.size;
        small_.push_back(std::move(jobs[i]));
    }
    return {};
}

Result<void> PartWriter::end_large() {
    for (std::size_t lane = 0; lane < large_.size(); ++lane) {
        if (!large_[lane]) continue;
        Job& job = *large_[lane];
        if (!has_ended(job)) continue;
        wait();
        const Digest digest = row_.finish(lane);
        if (job.is_to_begin_anew) {
            SATCHEL_TRY_VOID(begin_anew(job));
            row_.begin(lane);
            continue;
        }
        const std::unique_ptr<Job> ended = std::move(large_[lane]);
        SATCHEL_TRY_VOID(end(*ended, digest));
    }
    return {};
}

// The file that was there is another one.
Result<void> PartWriter::begin_anew(Job& job) {
    SATCHEL_TRY_VOID(calls_.went_on(-static_cast<std::int64_t>(job.at)));
    job.next = 0;
    job.at = 0;
    job.bytes.clear();
    job.unwritten = 0;
    job.is_to_begin_anew = false;
    job.outcome = open_part(job);
    return {};
}

Result<void> PartWriter::end(Job& job, const Digest& digest) {
    const auto set_all = [&]() -> Result<void> {
        if (job.stage == Stage::kResuming) SATCHEL_TRY_VOID(job.file->truncate(job.at));
        SATCHEL_TRY_VOID(job.file->set_mode(job.entry.mode));
        return job.file->set_mtime(job.entry.mtime_ns);
    };
    if (job.outcome.has_value()) job.outcome = set_all();
    job.file.reset();
    return calls_.finished({job.entry.path, job.number, job.entry.size, digest,
                            job.stage == Stage::kComparing, std::move(job.outcome)});
}

}  // namespace satchel::site
