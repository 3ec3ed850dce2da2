# frozen_string_literal: true

# An application of Rails, as far as it goes on serving browsers while people move: Action Cable alone, with the two
# channels that Partyline's contract names, over the Redis of the environment:
#
#     REDIS_URL=redis://127.0.0.1:6379 CHANNEL_PREFIX=smart_production puma --bind tcp://127.0.0.1:0 config.ru
#
# Nothing is published here. It is for loopback: no page is asked where it comes from.

require "logger"
require "active_support/all"
require "action_cable"

# `start`, `media`, `stop` of a call.
class CallStreamChannel < ActionCable::Channel::Base
  def subscribed
    stream_from "call_stream_#{params[:call_id]}"
  end
end

# `media` and `transcript` of a call.
class TwilioMediaChannel < ActionCable::Channel::Base
  def subscribed
    stream_from "call_audio_#{params[:call_sid]}"
    stream_from "call_transcript_#{params[:call_sid]}"
  end
end

cable = ActionCable::Server::Base.config
cable.logger = Logger.new($stderr, level: Logger::WARN)
cable.cable = {
  adapter: "redis",
  url: ENV.fetch("REDIS_URL"),
  channel_prefix: ENV.fetch("CHANNEL_PREFIX")
}.with_indifferent_access
cable.disable_request_forgery_protection = true

map "/cable" do
  run ActionCable.server
end
