# Takes Vagrant's place: loads the Vagrantfile ARGV[0], "brings up" its machines one after the other with their
# triggers, and prints what each of them gets as JSON. Its machines answer a command with the command.
require "json"

Machine = Struct.new(:name) do
  def communicate = self

  def sudo(command)
    yield :stdout, "#{name}: #{command}"
  end
end

# A part of the configuration: remembers every value that is set and every call.
class Part
  attr_reader :values

  def initialize
    @values = {}
  end

  def method_missing(name, *arguments, **more)
    key = name.to_s
    return @values[key.delete_suffix("=")] = arguments.first if key.end_with?("=")

    given = more.empty? ? arguments : [*arguments, more]
    return @values[key] ||= Part.new if given.empty? && !block_given?

    (@values["#{key} calls"] ||= []) << given
    yield Part.new if block_given?
  end

  def respond_to_missing?(*) = true
end

# config.vm, which has machines of its own.
class Machines < Part
  attr_reader :defined

  def define(name)
    node = Node.new
    yield node
    (@defined ||= {})[name] = node
  end

  def provider(name)
    yield Part.new
  end
end

# What a trigger does.
class Trigger
  attr_accessor :info

  def ruby(&block)
    @block = block
  end

  def run(machine) = @block.call(nil, machine)
end

# The triggers of one machine.
class Triggers
  def initialize
    @found = []
  end

  def after(*actions)
    @found << [actions, Trigger.new.tap { |made| yield made }]
  end

  def run(action, machine)
    @found.each { |actions, trigger| trigger.run(machine) if actions.include?(action) }
  end
end

# One machine's configuration.
class Node
  attr_reader :vm, :trigger

  def initialize
    @vm = Part.new
    @trigger = Triggers.new
  end
end

Config = Struct.new(:vm)

module Vagrant
  def self.configure(_version)
    machines = Machines.new
    yield Config.new(machines)
    brought_up = machines.defined.map do |name, node|
      sources = node.vm.values["provision calls"].map { |_, options| options[:source] }.compact
      missing = sources.reject { |path| File.exist?(path) }
      node.trigger.run(:up, Machine.new(name))
      { name: name, missing: missing, vm: node.vm.values }
    end
    $stderr.puts JSON.generate(serial: ENV["VAGRANT_NO_PARALLEL"], box: machines.values["box"],
                               folders: machines.values["synced_folder calls"], machines: brought_up)
  end
end

load ARGV[0]
