// A library of files in memory, which can be incomplete and damaged at will.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "cli/play/library.hpp"

namespace satchel::play {

struct FakeFile {
    std::string bytes;
    std::size_t repeats = 1;                         // of the bytes: large files that take no room
    std::uint64_t damaged_from = ~std::uint64_t{0};  // reading from here on fails
    bool is_missing = false;                         // the index knows that it is not here
    [[nodiscard]] std::uint64_t size() const { return std::uint64_t{repeats} * bytes.size(); }
};

inline Error not_here() {
    return fail(ErrorCode::kNotFound, "chunk", "part of this course is not here yet",
                "read a stick that carries it; `satchel why` tells how much is missing");
}

class FakeReader : public PlayReader {
  public:
    explicit FakeReader(FakeFile file) : file_(std::move(file)), tag_(std::to_string(file_.size())) {
        tag_ += "-" + std::to_string(std::hash<std::string>()(file_.bytes));
    }
    [[nodiscard]] std::uint64_t size() const override { return file_.size(); }
    [[nodiscard]] const std::string& tag() const override { return tag_; }
    Result<bool> has(std::uint64_t, std::uint64_t) override { return !file_.is_missing; }
    Result<std::string_view> read(std::uint64_t offset) override {
        if (offset >= file_.damaged_from) return not_here();
        const auto at = static_cast<std::size_t>(offset % file_.bytes.size());
        const std::uint64_t good = std::min<std::uint64_t>(kStepBytes, file_.damaged_from - offset);
        return std::string_view(file_.bytes).substr(at, static_cast<std::size_t>(good));
    }

  private:
    FakeFile file_;
    std::string tag_;
};

class FakeLibrary : public PlayLibrary {
  public:
    std::map<std::string, PlayCourse> all;
    std::map<std::string, std::map<std::string, FakeFile>> content;
    std::set<std::string> without_table;  // courses whose table of files is not here

    void add(const std::string& id, const std::string& path, FakeFile file) {
        all[id].id = id;
        all[id].is_complete = true;
        content[id][path] = std::move(file);
    }

    Result<CoursePage> courses(std::uint64_t first, std::size_t count) override {
        CoursePage page;
        for (const auto& [id, course] : all)
            if (page.total++ >= first && page.courses.size() < count) page.courses.push_back(course);
        return page;
    }
    Result<std::optional<PlayCourse>> course(const std::string& id) override {
        const auto found = all.find(id);
        return found == all.end() ? std::optional<PlayCourse>() : std::optional(found->second);
    }
    Result<FilePage> files(const std::string& id, std::uint64_t first, std::size_t count) override {
        if (without_table.count(id) != 0) return not_here();
        FilePage page;
        for (const auto& [path, file] : content[id])
            if (page.total++ >= first && page.files.size() < count) page.files.push_back({path, file.size()});
        return page;
    }
    Result<bool> has_file(const std::string& id, const std::string& path) override {
        const auto course = content.find(id);
        return course != content.end() && course->second.count(path) != 0;
    }
    Result<std::unique_ptr<PlayReader>> open(const std::string& id, const std::string& path) override {
        if (without_table.count(id) != 0) return not_here();
        const auto course = content.find(id);
        if (course == content.end()) return std::unique_ptr<PlayReader>();
        const auto file = course->second.find(path);
        if (file == course->second.end()) return std::unique_ptr<PlayReader>();
        return std::unique_ptr<PlayReader>(std::make_unique<FakeReader>(file->second));
    }
};

}  // namespace satchel::play
