// What services of the RabbitMQ guide do in TypeScript, by amqplib; and the CloudEvents SDK over the same broker.
//
//   node rabbitmq_client.js publish URL EXCHANGE        JSON objects from standard input, one per line, as publishObject() does
//   node rabbitmq_client.js publish-sdk URL EXCHANGE    CloudEvents from standard input: once binary, once structured
//   node rabbitmq_client.js consume URL QUEUE COUNT     prints what a handler gets, one line per message
//   node rabbitmq_client.js consume-sdk URL QUEUE COUNT the same, as the SDK reads it
//
// NODE_PATH says where amqplib and cloudevents are.
const amqp = require('amqplib');
const readline = require('readline');

async function* lines() {
  for await (const line of readline.createInterface({ input: process.stdin })) yield JSON.parse(line);
}

function asMessage(http) {
  const { 'content-type': contentType, ...headers } = http.headers;
  return { body: Buffer.from(http.body || ''), options: { contentType, headers, persistent: true } };
}

async function publish(channel, exchange) {
  for await (const event of lines()) {
    channel.publish(exchange, event.eventType, Buffer.from(JSON.stringify(event)), {
      persistent: true, contentType: 'application/json', messageId: event.eventId, correlationId: event.correlationId,
      timestamp: Math.floor(Date.parse(event.timestamp) / 1000), type: event.eventType,
    });
  }
  await channel.waitForConfirms();
}

async function publishBySdk(channel, exchange) {
  const { CloudEvent, HTTP } = require('cloudevents');
  for await (const attributes of lines()) {
    for (const mode of ['binary', 'structured']) {
      const event = new CloudEvent({ ...attributes, id: attributes.id + '-' + mode });
      const { body, options } = asMessage(HTTP[mode](event));
      channel.publish(exchange, event.type, body, options);
    }
  }
  await channel.waitForConfirms();
}

async function consume(channel, queue, count, read) {
  await channel.prefetch(10);
  await new Promise((done) => channel.consume(queue, (message) => {
    console.log(JSON.stringify({ event: read(message), correlationId: message.properties.correlationId,
      messageId: message.properties.messageId, deliveryMode: message.properties.deliveryMode }));
    channel.ack(message);
    if (--count === 0) done();
  }));
}

function readBySdk(message) {
  const { HTTP } = require('cloudevents');
  const headers = { ...message.properties.headers, 'content-type': message.properties.contentType };
  return HTTP.toEvent({ headers, body: message.content.toString() });
}

async function main(command, url, where, count) {
  const connection = await amqp.connect(url);
  const channel = await connection.createConfirmChannel();
  if (command === 'publish') await publish(channel, where);
  if (command === 'publish-sdk') await publishBySdk(channel, where);
  if (command === 'consume') await consume(channel, where, Number(count), (message) => JSON.parse(message.content));
  if (command === 'consume-sdk') await consume(channel, where, Number(count), readBySdk);
  await channel.close();
  await connection.close();
}

main(...process.argv.slice(2)).catch((why) => { console.error(why); process.exit(1); });
