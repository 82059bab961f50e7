#include "incoming.hh"

#include <utility>

namespace rabbitmq {

bool Incoming::take(const amqp_frame_t& frame, Frames& frames) {
  switch (frame.frame_type) {
    case AMQP_FRAME_METHOD:
      return take_method(frame.payload.method, frames);
    case AMQP_FRAME_HEADER:
      take_properties(*static_cast<const amqp_basic_properties_t*>(frame.payload.properties.decoded), message_);
      body_bytes_ = frame.payload.properties.body_size;
      message_.body.clear();
      if (body_bytes_ == 0) take_whole(frames);
      return true;
    case AMQP_FRAME_BODY:
      message_.body.append(view(frame.payload.body_fragment));
      if (message_.body.size() >= body_bytes_) take_whole(frames);
      return true;
    default:
      return true;
  }
}

void Incoming::take_whole(Frames& frames) {
  const Kind whole = std::exchange(kind_, Kind::none);
  if (whole == Kind::delivery) frames.delivered(message_);
  if (whole == Kind::returned) frames.returned(return_code_, return_text_, message_);
}

bool Incoming::take_method(const amqp_method_t& method, Frames& frames) {
  switch (method.id) {
    case AMQP_BASIC_ACK_METHOD: {
      const auto& ack = *static_cast<const amqp_basic_ack_t*>(method.decoded);
      frames.confirmed(ack.delivery_tag, ack.multiple != 0);
      return true;
    }
    case AMQP_BASIC_NACK_METHOD: {
      const auto& nack = *static_cast<const amqp_basic_nack_t*>(method.decoded);
      frames.refused(nack.delivery_tag, nack.multiple != 0);
      return true;
    }
    case AMQP_BASIC_RETURN_METHOD: {
      const auto& sent_back = *static_cast<const amqp_basic_return_t*>(method.decoded);
      kind_ = Kind::returned;
      return_code_ = sent_back.reply_code;
      return_text_ = view(sent_back.reply_text);
      message_.exchange = view(sent_back.exchange);
      message_.routing_key = view(sent_back.routing_key);
      return true;
    }
    case AMQP_BASIC_DELIVER_METHOD: {
      const auto& deliver = *static_cast<const amqp_basic_deliver_t*>(method.decoded);
      kind_ = Kind::delivery;
      message_.delivery_tag = deliver.delivery_tag;
      message_.redelivered = deliver.redelivered != 0;
      message_.exchange = view(deliver.exchange);
      message_.routing_key = view(deliver.routing_key);
      return true;
    }
    case AMQP_QUEUE_DECLARE_OK_METHOD:
      frames.counted(static_cast<const amqp_queue_declare_ok_t*>(method.decoded)->message_count);
      return true;
    case AMQP_CONNECTION_BLOCKED_METHOD:
      frames.blocked(view(static_cast<const amqp_connection_blocked_t*>(method.decoded)->reason));
      return true;
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
      frames.unblocked();
      return true;
    case AMQP_BASIC_CANCEL_METHOD:
      why_ = "the server ended the consumer: its queue was deleted or moved";
      return false;
    case AMQP_CHANNEL_CLOSE_METHOD:
    case AMQP_CONNECTION_CLOSE_METHOD:
      why_ = text_of(method, {});
      return false;
    default:
      return true;
  }
}

}  // namespace rabbitmq
