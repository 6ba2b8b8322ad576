import { JsonProperty, Utils } from '@mikro-orm/core';
