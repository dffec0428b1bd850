import ArgumentParser

enum RehearsalCommands {
    static let all: [any ParsableCommand.Type] = [Demo.self, Rehearse.self]
}
