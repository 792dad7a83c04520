internal import SystemPackage

/// Paths by the instant at which they are due: a binary heap.
struct DueQueue: Sendable {
    private var heap: [(due: Duration, path: FilePath)] = []

    var count: Int { heap.count }
    var first: (due: Duration, path: FilePath)? { heap.first }

    mutating func insert(_ path: FilePath, due: Duration) {
        heap.append((due, path))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].due < heap[parent].due else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func removeFirst() {
        guard let last = heap.popLast(), !heap.isEmpty else { return }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].due < heap[least].due { least = child }
            }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
