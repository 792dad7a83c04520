public import Files
internal import FoundationEssentials
public import SystemPackage

extension DropFolder {
    /// Finds the file that a path in a manifest means.
    ///
    /// The path is relative to the folder where the manifest was dropped, or absolute, or a `file:` URL. After
    /// links are resolved it must be below the drop folder or a media root. A file that is found ready counts as
    /// asked for: it is not handed out as loose media any more.
    public func resolveMedia(path: String, manifestRelativePath: FilePath) -> MediaResolution {
        do {
            let parsed = try MediaPath.parse(path)
            return try settle(try locate(parsed, from: manifestRelativePath.removingLastComponent()), text: path)
        } catch let refusal as MediaRefusal {
            return .refused(refusal)
        } catch let refusal as BeneathOpener.Refusal {
            return resolution(of: refusal, text: path)
        } catch {
            return .refused(MediaRefusal(code: .unreadable, message: "'\(path)' cannot be read: \(error)"))
        }
    }

    /// Opens media that was found ready.
    ///
    /// Compare `look()` of the answer after the last read with `media.identity`; if they differ, call
    /// `mediaChanged`.
    /// - Throws: `IntakeError` with `.vanished`, or `.changed` when it is another file by now.
    public nonisolated func openMedia(_ media: OpenableMedia) throws(IntakeError) -> OpenFile {
        let path = mediaPath(media)
        do {
            guard let root = canonicalRoot(media.rootIndex) else {
                throw IntakeError(.vanished, path, "Its folder is gone.")
            }
            let file = try BeneathOpener(root: root).open(media.relativePath, followingLinks: false)
            guard try file.look().identity.hasSameContent(as: media.identity) else {
                throw IntakeError(.changed, path, "It is not what it was when it was complete.")
            }
            return file
        } catch {
            throw IntakeError(error, at: path)
        }
    }

    /// Says that media changed while it was read: it settles again, each time twice as long.
    public func mediaChanged(_ media: OpenableMedia) {
        let key = key(media.rootIndex, media.relativePath)
        handedOut.forget(key)
        settleAgain(.looseMedia, key, media.identity, strikes: media.strikes + 1, reason: nil)
    }

    /// Where the media is.
    public nonisolated func mediaPath(_ media: OpenableMedia) -> FilePath {
        let root = media.rootIndex == 0 ? settings.path : settings.mediaRoots[media.rootIndex - 1]
        return root.pushing(media.relativePath)
    }

    private struct Located {
        let rootIndex: Int
        let relativePath: FilePath
        let look: FileLook
    }

    private nonisolated func canonicalRoot(_ index: Int) -> FilePath? {
        (index == 0 ? settings.path : settings.mediaRoots[index - 1]).withoutLinks()
    }

    private func locate(_ path: FilePath, from folder: FilePath) throws -> Located {
        let roots = (0...settings.mediaRoots.count).map {
            (given: $0 == 0 ? settings.path : settings.mediaRoots[$0 - 1], real: canonicalRoot($0))
        }
        guard let drop = roots[0].real else { throw BeneathOpener.Refusal.missing }
        if path.isRelative {
            let below = folder.pushing(path)
            do {
                return try located(try BeneathOpener(root: drop).place(below), roots.map(\.real))
            } catch BeneathOpener.Refusal.outside {
                return try locateByRealPath(drop.pushing(below), roots.map(\.real))
            }
        }
        for root in roots {
            for spelled in [root.given, root.real].compactMap(\.self) where path.starts(with: spelled) {
                guard let real = root.real else { throw BeneathOpener.Refusal.missing }
                var below = path
                _ = below.removePrefix(spelled)
                if below.isEmpty { throw BeneathOpener.Refusal.notRegular(.directory) }
                do {
                    return try located(try BeneathOpener(root: real).place(below), roots.map(\.real))
                } catch BeneathOpener.Refusal.outside {
                    break
                }
            }
        }
        return try locateByRealPath(path, roots.map(\.real))
    }

    /// The way over absolute links, and from one root into another.
    ///
    /// What leads out is refused whether or not it exists, so that a manifest cannot ask what there is.
    private func locateByRealPath(_ path: FilePath, _ roots: [FilePath?]) throws -> Located {
        guard let real = path.withoutLinks() else { throw BeneathOpener.Refusal.outside }
        for case let root? in roots where real != root && real.starts(with: root) {
            var below = real
            _ = below.removePrefix(root)
            // Opened beneath the root again: a link put there since is not followed out.
            return try located(try BeneathOpener(root: root).place(below), roots)
        }
        throw BeneathOpener.Refusal.outside
    }

    private func located(_ place: BeneathOpener.Place, _ roots: [FilePath?]) throws -> Located {
        for (index, root) in roots.enumerated() {
            guard let root, place.path != root, place.path.starts(with: root) else { continue }
            var below = place.path
            _ = below.removePrefix(root)
            return Located(rootIndex: index, relativePath: below, look: place.look)
        }
        guard roots.contains(place.path) else { throw BeneathOpener.Refusal.outside }
        throw BeneathOpener.Refusal.notRegular(.directory)
    }

    private func key(_ rootIndex: Int, _ relativePath: FilePath) -> FilePath {
        rootIndex == 0 ? relativePath : settings.mediaRoots[rootIndex - 1].pushing(relativePath)
    }

    private func settle(_ file: Located, text: String) throws -> MediaResolution {
        guard file.look.kind == .regular else { throw BeneathOpener.Refusal.notRegular(file.look.kind) }
        if file.rootIndex == 0, file.relativePath.components.first == DropFolderLayout.ownFolder {
            let message = "'\(text)' lies in the daemon's own folder. Name a file that you dropped."
            throw MediaRefusal(code: .outside, message: message)
        }
        let key = key(file.rootIndex, file.relativePath)
        let identity = file.look.identity
        func ready(strikes: Int) -> MediaResolution {
            .ready(
                OpenableMedia(
                    rootIndex: file.rootIndex, relativePath: file.relativePath, identity: identity, strikes: strikes))
        }
        if handedOut.contains(key, identity) { return ready(strikes: 0) }
        let now = time.now()
        let isLoose = file.rootIndex == 0 && rules.verdict(key) == .media
        switch isLoose
            ? media.observe(key, identity, by: .seen, at: now) : named.observe(key, identity, by: .seen, at: now)
        {
        case .settling(let until, let reason):
            return .settling(reason: "\(reason)", until: wallClock() - (now - until))
        case .full where !isOld(identity):
            let reason = "more files settle than can be followed at once"
            return .settling(reason: reason, until: wallClock() - .zero + settings.settle)
        case .ready, .held, .full: break
        }
        let root = canonicalRoot(file.rootIndex) ?? settings.path
        if try BeneathOpener(root: root).open(file.relativePath, followingLinks: false).writer() == .present {
            if isLoose { media.postpone(key, at: now) } else { named.postpone(key, at: now) }
            let reason = "\(SettleTracker.Reason.openForWriting)"
            return .settling(reason: reason, until: wallClock() + max(settings.settle, .milliseconds(100)))
        }
        let entry = isLoose ? media.take(key) : named.take(key)
        handedOut.insert(key, identity)
        return ready(strikes: entry?.strikes ?? 0)
    }

    /// Whether the file was left alone for long enough by its own account.
    ///
    /// Only where there is no room to look twice: this believes the system's clock, two looks do not.
    private func isOld(_ identity: FileIdentity) -> Bool {
        let age = wallClock().timeIntervalSince1970 - Double(identity.changed) / 1e9
        return .seconds(age) >= settings.settle
    }

    private func resolution(of refusal: BeneathOpener.Refusal, text: String) -> MediaResolution {
        switch refusal {
        case .missing: .missing
        case .outside:
            .refused(
                MediaRefusal(
                    code: .outside,
                    message:
                        "'\(text)' leads out of the drop folder. Put the file in it, or its folder into 'media_roots'.")
            )
        case .notRegular(.directory):
            .refused(MediaRefusal(code: .directory, message: "'\(text)' is a folder. Name a file."))
        case .notRegular(let kind):
            .refused(MediaRefusal(code: .notRegular, message: "'\(text)' is a \(kind). Name a regular file."))
        case .failed(let error):
            .refused(MediaRefusal(code: .unreadable, message: "'\(text)' cannot be read: \(error)"))
        }
    }
}
